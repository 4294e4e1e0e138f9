"""From waiting to dealt with: a run takes what waits, and its end acknowledges it or gives it back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.db.models import F
from django.utils import timezone

from tasks.models import Level, WakeEvent, WakeState

MOST_TAKEN = 100
MOST_TRIES = 5
"""Runs that may fail over one event before it is given up, so that it cannot make an agent fail for ever."""
KEPT_WAITING = timedelta(days=7)
KEPT_CLOSED = timedelta(days=90)
GIVEN_UP = "{tries} runs failed over it."
EXPIRED = (
    "Nobody took it up within seven days: the agent was off, paused, or below the level that this needs."
)


def levels_up_to(level: Level) -> list[str]:
    return [each.value for each in Level if each.rank <= level.rank]


def take(agent_id: int, run_id: int, level: Level) -> list[int]:
    """Hand what waits for an agent to a run, in the caller's transaction; return ids, oldest first."""
    waiting = WakeEvent.objects.filter(
        agent_id=agent_id,
        state=WakeState.PENDING,
        wake__enabled=True,
        wake__minimum_level__in=levels_up_to(level),
    )
    ids = list(waiting.order_by("id").values_list("id", flat=True)[:MOST_TAKEN])
    taken = WakeEvent.objects.filter(pk__in=ids, state=WakeState.PENDING)
    taken.update(state=WakeState.TAKEN, run_id=run_id, tries=F("tries") + 1)
    return ids


def acknowledge(run_id: int) -> int:
    """Close what a run has dealt with, in its terminal transaction; return how many."""
    rows = WakeEvent.objects.filter(run_id=run_id, state=WakeState.TAKEN)
    return rows.update(state=WakeState.DONE, closed_at=timezone.now())


JOIN_PAYLOADS = """
update tasks_wakepayload p set event_id = w.id
  from tasks_wakeevent t join tasks_wakeevent w on w.wake_id = t.wake_id and w.key = t.key and w.state = 'pending'
 where p.event_id = t.id and t.run_id = any (%(runs)s) and t.state = 'taken'
"""
JOIN_COUNTS = """
update tasks_wakeevent w
   set count = w.count + t.count, tries = greatest(w.tries, t.tries), first_at = least(w.first_at, t.first_at)
  from tasks_wakeevent t
 where t.wake_id = w.wake_id and t.key = w.key and w.state = 'pending' and t.run_id = any (%(runs)s) and t.state = 'taken'
"""
DROP_JOINED = """
delete from tasks_wakeevent t using tasks_wakeevent w
 where w.wake_id = t.wake_id and w.key = t.key and w.state = 'pending' and t.run_id = any (%(runs)s) and t.state = 'taken'
"""


def give_back(run_ids: Iterable[int], *, counts: bool = True) -> int:
    """Let what runs took wait again; return how many that are. What failed too often is given up, with the reason.

    What fired again meanwhile and waits already takes the older one's payloads in. With `counts` false the try is not counted:
    the run never got to it.
    """
    values = {"runs": sorted(run_ids)}
    mine = WakeEvent.objects.filter(run_id__in=values["runs"], state=WakeState.TAKEN)
    if not counts:
        mine.filter(tries__gt=0).update(tries=F("tries") - 1)
    for event in mine.filter(tries__gte=MOST_TRIES):
        event.state, event.closed_at = WakeState.DROPPED, timezone.now()
        event.reason = GIVEN_UP.format(tries=event.tries)
        event.save(update_fields=["state", "closed_at", "reason"])
    with connection.cursor() as cursor:
        for statement in (JOIN_PAYLOADS, JOIN_COUNTS, DROP_JOINED):
            cursor.execute(statement, values)
    return mine.update(state=WakeState.PENDING, run_id=None)


def taken_by() -> list[int]:
    """Return the runs that hold events now."""
    rows = WakeEvent.objects.filter(state=WakeState.TAKEN)
    return [run for run in rows.values_list("run_id", flat=True).distinct() if run is not None]


def prune() -> int:
    """Give up what has waited for a week, and drop what was closed long ago; return how many rows that were."""
    now = timezone.now()
    old = WakeEvent.objects.filter(state=WakeState.PENDING, last_at__lt=now - KEPT_WAITING)
    expired = old.update(state=WakeState.DROPPED, reason=EXPIRED, closed_at=now)
    WakeEvent.objects.filter(closed_at__lt=now - KEPT_CLOSED).delete()
    return expired
