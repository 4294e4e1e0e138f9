"""Taking a run for execution: one conditional UPDATE, a lease that must be renewed, a fence that only rises."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection, transaction

from agents.errors import LostLease
from agents.models import Run, RunKind
from llm.types import CancelToken
from realtime.services import unit_of_work

LEASE_S = 20
RENEW_S = 5

RUNNING_LIMITS = {RunKind.BRANCH: 3, RunKind.WORKER: 5, RunKind.COLLEAGUE: 3}
"""How many runs of a kind may be running at once in one conversation; the rest stay queued."""


def _process_started() -> str:
    """Return a mark that tells this process from a later one with the same number."""
    try:
        return Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return str(int(time.time()))


def lease_owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{_STARTED}"


_STARTED = _process_started()


@dataclass
class Claim:
    """The right to execute a run, until the lease ends or the fence rises. `started` is monotonic seconds.

    `has_policies`: the organization has set a policy for some tool, or this is not known.
    """

    run_id: int
    conversation_id: int | None
    fence: int
    active_limit_s: float
    has_policies: bool = True
    cancel: CancelToken = field(default_factory=CancelToken)
    started: float = field(default_factory=time.monotonic)

    @property
    def active_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)


CLAIM = """
update agents_run r
   set state = 'running', lease_owner = %(owner)s, lease_expires_at = now() + %(lease)s * interval '1 second',
       fence = r.fence + 1, started_at = coalesce(r.started_at, now()), claimed_at = now(),
       recoveries = r.recoveries + (r.state = 'running')::int
 where r.id = %(run)s
   and ((r.state = 'queued' and r.due_at <= now()) or (r.state = 'running' and r.lease_expires_at < now()))
   and (%(limit)s = 0 or (
        select count(*) from agents_run other
         where other.conversation_id = r.conversation_id and other.kind = r.kind and other.state = 'running'
           and other.id <> r.id) < %(limit)s)
   and (r.state = 'running' or not (r.kind in ('autonomy', 'cron')
            or (r.kind = 'worker' and exists (
                select 1 from agents_run p where p.id = r.parent_id and p.kind = 'autonomy')))
        or not exists (
            select 1 from agents_autonomy a where a.agent_id = r.agent_id and a.paused_at is not null
            union all
            select 1 from agents_autonomyrule o where o.organization_id = r.organization_id and o.paused_at is not null))
returning r.conversation_id, r.fence, r.active_limit_s, r.active_ms,
    exists (select 1 from agents_toolpolicy p where p.organization_id = r.organization_id)
"""


def claim(run_id: int, kind: str, conversation_id: int | None) -> Claim | None:
    """Take a run that is due, or whose executor went silent. None: somebody else has it, or it must wait.

    What a paused agent would do by itself is not begun.
    """
    limit = RUNNING_LIMITS.get(RunKind(kind), 0) if conversation_id else 0
    values: dict[str, str | int] = {"owner": lease_owner(), "lease": LEASE_S, "run": run_id, "limit": limit}
    if limit:
        with transaction.atomic(), connection.cursor() as cursor:
            # Two claims must not both see the last free place.
            cursor.execute(
                "select pg_advisory_xact_lock(%s, %s)", [CLAIM_LOCK, (conversation_id or 0) % 2**31]
            )
            cursor.execute(CLAIM, values)
            row = cursor.fetchone()
    else:
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, values)
            row = cursor.fetchone()
    if row is None:
        return None
    conversation, fence, limit_s, active_ms, has_policies = row
    return Claim(
        run_id=run_id,
        conversation_id=conversation,
        fence=fence,
        active_limit_s=max(0.0, limit_s - active_ms / 1000),
        has_policies=has_policies,
    )


CLAIM_LOCK = 7203


@dataclass(frozen=True)
class Held:
    """What a fenced transaction knows: nothing may change it before the commit."""

    last_seq: int
    cancel_requested: bool
    has_policies: bool = True


HOLD = """
with c as (select last_seq from messaging_conversation where id = %s for no key update)
select c.last_seq, r.cancel_requested_at is not null,
    exists (select 1 from agents_toolpolicy p where p.organization_id = r.organization_id)
  from agents_run r left join c on true
 where r.id = %s and r.fence = %s and r.state = 'running' for no key update of r
"""
"""The join reads the conversation's row, and so locks it, before the run's own row is locked on top."""


@contextmanager
def fenced(claim: Claim) -> Iterator[Held]:
    """Open a unit of work that holds the conversation and the run, in this order, or raise LostLease.

    A write under an old fence is thereby refused: whoever claimed the run since has raised it.
    """
    with unit_of_work(), connection.cursor() as cursor:
        cursor.execute(HOLD, [claim.conversation_id, claim.run_id, claim.fence])
        row = cursor.fetchone()
        if row is None:
            raise LostLease(f"run {claim.run_id} is executed elsewhere")
        yield Held(last_seq=row[0] or 0, cancel_requested=row[1], has_policies=row[2])


def check_owned(run: Run, claim: Claim) -> None:
    """Raise LostLease when a freshly loaded row shows another fence."""
    if run.fence != claim.fence:
        raise LostLease(f"run {run.pk} is executed elsewhere")
