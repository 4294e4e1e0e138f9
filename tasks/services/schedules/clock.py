"""The tick: every second or so it finds what is due and decides about it, once, whoever else ticks at the same time.

A schedule's row is locked while its instants are decided; `next_due_at` moves on, the ledger's lines and the runs appear,
all in one transaction. A tick that dies leaves everything as it was; two ticks at once skip each other's rows; the ledger's
unique constraint refuses what neither may do. `next_due_at` never goes back, so a clock that jumps back repeats nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.utils import InterfaceError, OperationalError
from django.utils import timezone

from accounts.boundaries import reach
from accounts.logs import get_logger
from accounts.models import Membership
from messaging.models import Participant
from realtime.services import unit_of_work
from tasks.models import (
    LIVE_EXECUTIONS,
    Execution,
    Firing,
    Reason,
    Schedule,
    ScheduleState,
)
from tasks.schedules.due import Circumstances, Plan, Policies, plan
from tasks.schedules.runs import agents_on, agents_paused
from tasks.schedules.timing import hours_of, timing_of
from tasks.services.schedules import ledger
from tasks.services.schedules.firing import start
from tasks.services.schedules.rows import tell

log = get_logger(__name__)
BATCH = 100
MOST_BATCHES = 50

DUE = """
select id from tasks_schedule
 where state = 'active' and next_due_at <= %s and not id = any(%s) order by next_due_at, id limit %s
   for no key update skip locked
"""


def tick(*, now: datetime | None = None) -> int:
    """Decide about everything that is due; return how many schedules that were. Idle, it reads one empty index."""
    if not Schedule.objects.filter(
        state=ScheduleState.ACTIVE, next_due_at__lte=now or timezone.now()
    ).exists():
        return 0
    count, broken = 0, set[int]()
    for _ in range(MOST_BATCHES):
        moment = now or timezone.now()
        ids: list[int] = []
        try:
            done = _tick_batch(moment, ids, broken)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("schedules.batch_failed", schedules=ids)
            done = sum(_tick_alone(pk, moment, broken) for pk in ids)
        count += done
        if len(ids) < BATCH:
            break
    return count


def _tick_batch(now: datetime, ids: list[int], without: set[int], limit: int = BATCH) -> int:
    with unit_of_work():
        with connection.cursor() as cursor:
            cursor.execute(DUE, [now, list(without), limit])
            ids += [row[0] for row in cursor.fetchall()]
        if ids:
            rows = Schedule.objects.filter(pk__in=ids).select_related("conversation")
            _decide(list(rows.order_by("next_due_at", "pk")), now)
            reach("schedule.decided")
    if ids:
        reach("schedule.committed")
    return len(ids)


def _tick_alone(schedule_id: int, now: datetime, broken: set[int]) -> int:
    """Decide about one schedule of a batch that failed; one that fails by itself is stopped and says so."""
    try:
        with unit_of_work():
            schedule = Schedule.objects.select_for_update(no_key=True).get(pk=schedule_id)
            if (
                schedule.state == ScheduleState.ACTIVE
                and schedule.next_due_at
                and schedule.next_due_at <= now
            ):
                _decide([schedule], now)
        return 1
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("schedules.undecidable", schedule=schedule_id)
        broken.add(schedule_id)
        with unit_of_work():
            schedule = Schedule.objects.select_for_update(no_key=True).get(pk=schedule_id)
            schedule.state = ScheduleState.BROKEN
            kind = "the database refused" if isinstance(error, Error) else type(error).__name__
            schedule.stopped_reason = (
                f"It could not be worked out when to run ({kind}). Edit it, then reset it."
            )
            schedule.save(update_fields=["state", "stopped_reason", "updated_at"])
            tell(schedule)
        return 0


def _decide(schedules: list[Schedule], now: datetime) -> None:
    for schedule in schedules:
        schedule.agent_id = schedule.conversation.agent_id  # It may have been handed to another agent since.
    blocked = find_obstacles(schedules)
    live = _live(schedules)
    rows: list[Firing] = []
    for schedule in schedules:
        assert schedule.next_due_at is not None
        seen = Circumstances(
            now,
            blocked=blocked.get(schedule.pk, ""),
            live=live[schedule.pk, Execution.QUEUED] + live[schedule.pk, Execution.RUNNING],
            waiting=live[schedule.pk, Execution.WAITING],
        )
        found = plan(timing_of(schedule), policies_of(schedule), schedule.next_due_at, seen)
        rows += ledger.rows_for(schedule, found.lines, now=now)
        _move_on(schedule, found)
    Schedule.objects.bulk_update(schedules, ["next_due_at", "state", "agent_id"])
    start(Firing.objects.bulk_create(rows))
    for schedule in schedules:
        tell(schedule)


def _move_on(schedule: Schedule, found: Plan) -> None:
    schedule.next_due_at = found.next_due_at
    if found.is_over:
        schedule.state, schedule.next_due_at = ScheduleState.FINISHED, None


def policies_of(schedule: Schedule) -> Policies:
    return Policies(
        hours=hours_of(schedule),
        misfire=schedule.misfire,
        grace=timedelta(seconds=schedule.grace_s),
        overlap=schedule.overlap,
        run_once=schedule.run_once,
    )


def find_obstacles(schedules: Iterable[Schedule]) -> dict[int, str]:
    """Return why schedules may not run now, by id: authority is asked at each firing, four queries for all."""
    rows = list(schedules)
    agents = {row.agent_id for row in rows}
    on, paused = agents_on(agents), agents_paused(agents)
    owners = {row.owner_id for row in rows if row.owner_id}
    members = set(
        Membership.objects.filter(user_id__in=owners, user__is_active=True).values_list(
            "organization_id", "user_id"
        )
    )
    writers = set(
        Participant.objects.filter(
            conversation_id__in={row.conversation_id for row in rows}, person__user_id__in=owners
        ).values_list("conversation_id", "person__user_id")
    )
    found: dict[int, str] = {}
    for row in rows:
        if (row.organization_id, row.owner_id) not in members:
            found[row.pk] = Reason.OWNER_GONE
        elif (row.conversation_id, row.owner_id) not in writers:
            found[row.pk] = Reason.TARGET_CLOSED
        elif row.agent_id not in on:
            found[row.pk] = Reason.AGENT_OFF
        elif row.agent_id in paused:
            found[row.pk] = Reason.AGENT_PAUSED
    return found


def _live(schedules: Iterable[Schedule]) -> Counter[tuple[int, str]]:
    ids = [schedule.pk for schedule in schedules]
    return Counter(
        Firing.objects.filter(schedule_id__in=ids, execution__in=LIVE_EXECUTIONS).values_list(
            "schedule_id", "execution"
        )
    )
