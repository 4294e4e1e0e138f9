"""Starting an agent by itself: when a wake waits, or its interval has passed and there is something new to do.

Rows decide. The agent's row is locked, and a unique constraint refuses a second live run, so that two that look at once
start one. Between two runs lies the minimum gap, whatever wakes the agent, so none keeps itself awake.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.boundaries import reach
from agents.autonomy.agenda import read_agenda
from agents.autonomy.levels import standing_of
from agents.autonomy.settings import tell
from agents.context.days import zone_for
from agents.engine import wakeups
from agents.models import LIVE_STATES, Autonomy, Run, RunKind
from realtime.services import unit_of_work
from tasks.models import Level, WakeEvent, WakePayload, WakeState
from tasks.schedules.timing import Hours
from tasks.services.wakes import clock, taking

AT_ONCE = 50
LEVELS = "array['off', 'observe', 'suggest', 'act']"
CANDIDATES = f"""
select a.agent_id from agents_autonomy a
  join agents_agent g on g.id = a.agent_id and g.enabled
  left join agents_autonomyrule r on r.organization_id = a.organization_id
 where a.level <> 'off' and coalesce(r.ceiling, 'act') <> 'off' and a.paused_at is null and r.paused_at is null
   and coalesce(a.not_before, '-infinity') <= %(now)s
   and coalesce(a.last_started_at + a.gap_s * interval '1 second', '-infinity') <= %(now)s
   and (coalesce(greatest(a.last_started_at, a.looked_at) + a.interval_s * interval '1 second', '-infinity') <= %(now)s
        or exists (select 1 from tasks_wakeevent e join tasks_wake w on w.id = e.wake_id and w.enabled
            where e.agent_id = a.agent_id and e.state = 'pending'
              and array_position({LEVELS}, w.minimum_level::text)
                  <= least(array_position({LEVELS}, a.level::text), array_position({LEVELS}, coalesce(r.ceiling, 'act')::text))))
   and not exists (select 1 from agents_run x where x.agent_id = a.agent_id and x.kind = 'autonomy'
        and x.state in ('queued', 'running', 'waiting'))
 order by greatest(a.last_started_at, a.looked_at) nulls first, a.agent_id
 limit %(limit)s
"""  # noqa: S608  only the constant above is put in


def start_due(*, now: datetime | None = None) -> int:
    """Fire the wakes of the calendar, then start every agent that is due; return how many. One statement when idle."""
    moment = now or timezone.now()
    clock.tick(now=moment)
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, {"now": moment, "limit": AT_ONCE})
        ids = [row[0] for row in cursor.fetchall()]
    return sum(start_one(agent_id, now=moment) is not None for agent_id in ids)


def start_one(agent_id: int, *, now: datetime) -> Run | None:
    """Start an agent if it is due and has something to do; None otherwise, and when somebody else did."""
    with unit_of_work():
        row = (
            Autonomy.objects.select_related("agent", "agent__organization")
            .select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(agent_id=agent_id)
            .first()
        )
        if row is None or not _is_due(row, now):
            return None
        standing = standing_of(agent_id)
        if standing.is_paused or standing.level == Level.OFF or _is_live(agent_id):
            return None
        keys = read_agenda(row, standing.level, now=now)
        is_woken = WakeEvent.objects.filter(
            agent_id=agent_id,
            state=WakeState.PENDING,
            wake__enabled=True,
            wake__minimum_level__in=taking.levels_up_to(standing.level),
        ).exists()
        if not is_woken and not set(keys) - set(row.considered):
            row.looked_at = now
            row.save(update_fields=["looked_at"])
            return None
        return _start(row, standing.level, keys, now)


def _start(row: Autonomy, level: Level, keys: Sequence[str], now: datetime) -> Run:
    run = wakeups.start_alone(
        row.agent,
        kind=RunKind.AUTONOMY,
        conversation_id=None,
        title="By itself",
        values={"level": level.value, "keys": list(keys)},
        active_limit_s=row.timeout_s,
    )
    events = taking.take(row.agent_id, run.pk, level)
    run.input["event_ids"] = events
    run.input["from_outside"] = WakePayload.objects.filter(event_id__in=events, from_outside=True).exists()
    run.title = "It was woken" if events else "Its interval has passed, and there is something to do"
    run.save(update_fields=["input", "title"])
    row.last_started_at = now
    row.save(update_fields=["last_started_at"])
    tell(row.organization_id, row.agent_id)
    reach("autonomy.started")
    return run


def _is_due(row: Autonomy, now: datetime) -> bool:
    """Look again under the lock: at the gap, at rest after failures, at the hours, and at the day's minutes."""
    if row.not_before and row.not_before > now:
        return False
    if row.last_started_at and row.last_started_at + timedelta(seconds=row.gap_s) > now:
        return False
    zone = zone_for(row.agent.settings, row.agent.organization.time_zone)
    return Hours(row.active_from, row.active_until).include(now, zone) and minutes_left(row, now) > 0


def minutes_left(row: Autonomy, now: datetime) -> float:
    """Return what is left of the active minutes that the agent may spend by itself within a day."""
    spent = Run.objects.filter(
        agent_id=row.agent_id, kind=RunKind.AUTONOMY, created_at__gt=now - timedelta(days=1)
    ).aggregate(total=Sum("active_ms"))["total"]
    return row.minutes_per_day - (spent or 0) / 60_000


def _is_live(agent_id: int) -> bool:
    return Run.objects.filter(agent_id=agent_id, kind=RunKind.AUTONOMY, state__in=LIVE_STATES).exists()
