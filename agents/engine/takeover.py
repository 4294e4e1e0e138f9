"""Ending a run that its own executor does not end: take it over, and make the terminal write in its place.

The fence rises with the take-over, so the executor that hangs can write nothing any more; its lease keeper sees the new fence
and stops it where it can be stopped.
"""

from __future__ import annotations

from django.db import connection

from agents.engine import endings
from agents.engine.claims import LEASE_S, Claim, fenced, lease_owner
from agents.errors import LostLease
from agents.models import Run, RunState
from agents.processes.registry import process_for

TAKE = """
update agents_run r
   set lease_owner = %s, lease_expires_at = now() + %s * interval '1 second', fence = r.fence + 1
 where r.id = %s and r.fence = %s and r.state = 'running'
returning r.fence
"""


def end_overdue(run_id: int, fence: int) -> bool:
    """Close a run as timed out, with all that its end causes; False when it moved on meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [lease_owner(), LEASE_S, run_id, fence])
        row = cursor.fetchone()
    if row is None:
        return False
    run = Run.objects.select_related("agent", "conversation").get(pk=run_id)
    claim = Claim(run_id, run.conversation_id, row[0], active_limit_s=0)
    process = process_for(run, claim)
    try:
        ending = process.stopped(RunState.TIMED_OUT, "its executor did not stop it")
        with fenced(claim) as held:
            endings.finish(process, ending, held)
    except LostLease:
        return False
    return True
