"""Finding what was left behind: queued runs nobody looked at, leases nobody renews, workers idle for too long."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.utils import timezone

from accounts.logs import get_logger
from agents.autonomy import ending as autonomy
from agents.autonomy import pausing
from agents.engine import waits, wakeups
from agents.models import Run, RunKind, RunState
from agents.services.attempts import settle_orphans
from agents.states import check_transition
from messaging.models import Conversation
from realtime.services import record, unit_of_work
from tasks.services.approvals.expiry import expire_due

log = get_logger(__name__)

UNSEEN_S = 3
FORGOTTEN_S = 15
MOST_AT_ONCE = 300


def sweep() -> int:
    """Nudge everything that should be running and is not; return how many. Cheap when there is nothing."""
    expire_dead_owners()
    now = timezone.now()
    queued = Run.objects.filter(state=RunState.QUEUED, due_at__lt=now - timedelta(seconds=UNSEEN_S))
    silent = Run.objects.filter(state=RunState.RUNNING, lease_expires_at__lt=now)
    rows = [
        *queued.order_by("due_at").values_list("id", "kind", "conversation_id")[:MOST_AT_ONCE],
        *silent.values_list("id", "kind", "conversation_id")[:MOST_AT_ONCE],
    ]
    for run_id, kind, conversation_id in rows:
        wakeups.nudge(run_id, kind, conversation_id)
    wake_forgotten()
    expire_due()
    retire_idle_workers()
    settle_orphans()
    autonomy.settle_orphans()
    pausing.close_what_slipped()
    end_waits()
    return len(rows)


FORGOTTEN = """
select distinct open.conversation_id from (
    select p.conversation_id, p.created_at from agents_report p join agents_run w on w.id = p.run_id
     where p.state = 'pending' and w.report_to_id is null
    union all
    select conversation_id, created_at from messaging_message where handling = 'unanswered') open
 where open.created_at < now() - %s * interval '1 second'
   and not exists (select 1 from agents_run r where r.conversation_id = open.conversation_id
        and r.kind = 'channel' and r.state in ('queued', 'running', 'waiting'))
 limit 100
"""


def wake_forgotten() -> int:
    """Start a channel run where something is unanswered or untold and nobody looks at it; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(FORGOTTEN, [FORGOTTEN_S])
        ids = [row[0] for row in cursor.fetchall()]
    for pk in ids:
        with unit_of_work():
            conversation = Conversation.objects.select_for_update().get(pk=pk)
            last = Run.objects.filter(conversation_id=pk, kind=RunKind.CHANNEL).order_by("-id").first()
            wakeups.ensure_channel_run(
                conversation,
                user_id=last.requester_user_id if last else None,
                person_id=last.requester_person_id if last else None,
            )
        log.warning("conversation.was_forgotten", conversation=pk)
    return len(ids)


def expire_dead_owners() -> int:
    """End at once the leases of processes of this machine that no longer exist, instead of waiting for them."""
    owners = set(Run.objects.filter(state=RunState.RUNNING).values_list("lease_owner", flat=True))
    dead = [owner for owner in owners if _is_dead(owner)]
    if not dead:
        return 0
    now = timezone.now()
    count = Run.objects.filter(state=RunState.RUNNING, lease_owner__in=dead, lease_expires_at__gt=now).update(
        lease_expires_at=now - timedelta(milliseconds=1)
    )
    if count:
        log.warning("leases.owner_died", owners=dead, runs=count)
    return count


def _is_dead(owner: str) -> bool:
    host, _, rest = owner.partition(":")
    pid, _, started = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if int(pid) == os.getpid():
        return False
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19] != started
        except OSError:
            return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def end_waits() -> int:
    """Wake scheduled runs that have waited for their children until their time was up; return how many."""
    overdue = Run.objects.filter(kind=RunKind.CRON, state=RunState.WAITING, due_at__lt=timezone.now())
    found = list(overdue.values_list("id", "conversation_id")[:100])
    for run_id, conversation_id in found:
        with unit_of_work():
            if conversation_id is not None:
                wakeups.hold_conversation(conversation_id)
            waits.wrap_up(run_id)
    return len(found)


def retire_idle_workers() -> int:
    """Close interactive workers whose idle time is over."""
    idle = Run.objects.filter(kind=RunKind.WORKER, state=RunState.WAITING, waiting_for="")
    overdue = idle.filter(due_at__lt=timezone.now())
    count = 0
    for run_id in list(overdue.values_list("id", flat=True)[:100]):
        with unit_of_work():
            run = Run.objects.select_for_update().get(pk=run_id)
            if run.state != RunState.WAITING or run.waiting_for or run.due_at > timezone.now():
                continue
            check_transition(run.state, RunState.SUCCEEDED)
            run.state, run.finished_at = RunState.SUCCEEDED, timezone.now()
            run.outcome = run.outcome or "done"
            run.save(update_fields=["state", "finished_at", "outcome"])
            record(run.organization_id, wakeups.run_changed(run))
            count += 1
    return count
