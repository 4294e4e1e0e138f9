"""What people do to a schedule: confirm, pause, resume, reset, run now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.services import audit
from realtime.services import unit_of_work
from tasks.authors import Author
from tasks.models import (
    LIVE_EXECUTIONS,
    Execution,
    Firing,
    FiringDecision,
    Reason,
    Schedule,
    ScheduleKind,
    ScheduleState,
    Trigger,
)
from tasks.queries.schedules import check_may_steer, get_schedule
from tasks.schedules.timing import timing_of
from tasks.services import notices
from tasks.services.proposals import doors
from tasks.services.schedules import ledger
from tasks.services.schedules.clock import find_obstacles
from tasks.services.schedules.firing import start, stop_unstarted
from tasks.services.schedules.removing import remove
from tasks.services.schedules.rows import hold, tell

LATE_CONFIRMATION = timedelta(minutes=10)


def confirm(actor: Actor, schedule_id: int) -> Schedule:
    """Let what an agent proposed run, from now on: decided by its approval. Confirming twice changes nothing.

    Its owner may; a moderator who does takes it over. Raises Conflict where its only time has passed.
    """
    approval = None
    with unit_of_work():
        schedule = hold(get_schedule(actor, schedule_id))
        if schedule.deleted_at is not None:
            raise Conflict("This schedule has been removed.")
        if schedule.state == ScheduleState.PROPOSED:
            approval = doors.approve(actor, schedule)
        else:
            check_may_steer(actor, schedule)
    if approval is not None:
        doors.check_done(approval)
        schedule = get_schedule(actor, schedule_id)
    return schedule


def begin(actor: Actor, schedule: Schedule, *, takes_over: bool) -> None:
    """Let an approved schedule run, with the authority of whoever approved it last; its approval calls this.

    Under four eyes it keeps that of whoever asked. Raises Conflict where its only time has passed.
    """
    now = timezone.now()
    first = _first_after_confirming(schedule, now)
    schedule.state, schedule.next_due_at = ScheduleState.ACTIVE, first
    schedule.confirmed_by, schedule.confirmed_at = actor.user, now
    if takes_over:
        schedule.owner = actor.user
    schedule.save()
    audit.record(actor, actor.organization, "schedule.confirmed", target=f"schedule:{schedule.pk}")
    tell(schedule)


def turn_down(author: Author, schedule: Schedule, *, reason: str) -> None:
    """Remove a proposal that was rejected, taken back, or that nobody decided; its approval calls this."""
    remove(schedule, reason=reason, now=timezone.now())
    if author.actor is not None:
        audit.record(
            author.actor, author.actor.organization, "schedule.rejected", target=f"schedule:{schedule.pk}"
        )


def _first_after_confirming(schedule: Schedule, now: datetime) -> datetime:
    """What runs once and became due while the card was being read still runs."""
    since = now - LATE_CONFIRMATION if schedule.kind == ScheduleKind.ONCE else now
    first = timing_of(schedule).next_after(since)
    if first is None:
        raise Conflict("Its time has passed. Change when it runs, or discard it.")
    return first


def pause(actor: Actor, schedule_id: int, *, now: datetime | None = None) -> Schedule:
    """Stop firing, and stop what was fired and has not begun. What runs already goes on to its end."""

    def act(schedule: Schedule, moment: datetime) -> bool:
        return lay_by(schedule, reason=f"Paused by {actor.user}", now=moment)

    return _change(actor, schedule_id, "schedule.paused", act, now)


def lay_by(schedule: Schedule, *, reason: str, now: datetime, run_id: int | None = None) -> bool:
    """Pause a held schedule; False when it is not active."""
    if schedule.state != ScheduleState.ACTIVE:
        return False
    schedule.state, schedule.stopped_reason, schedule.paused_by_run_id = (
        ScheduleState.PAUSED,
        reason[:300],
        run_id,
    )
    ledger.account(schedule, now=now)
    stop_unstarted(schedule, reason=reason)
    return True


def resume(actor: Actor, schedule_id: int, *, now: datetime | None = None) -> Schedule:
    """Fire again from now on. What runs once, and came due meanwhile, is treated as missed: its policy decides."""

    def act(schedule: Schedule, moment: datetime) -> bool:
        return take_up(schedule, now=moment) if schedule.state == ScheduleState.PAUSED else False

    return _change(actor, schedule_id, "schedule.resumed", act, now)


def reset(actor: Actor, schedule_id: int, *, now: datetime | None = None) -> Schedule:
    """Close the breaker: fire again from now on, with no failures counted."""

    def act(schedule: Schedule, moment: datetime) -> bool:
        return take_up(schedule, now=moment) if schedule.state == ScheduleState.BROKEN else False

    return _change(actor, schedule_id, "schedule.reset", act, now)


def take_up(schedule: Schedule, *, now: datetime) -> bool:
    """Make a held schedule active again, after accounting for what came due while it stood still."""
    ledger.account(schedule, now=now)
    notices.schedule_well(schedule)
    schedule.state, schedule.stopped_reason, schedule.paused_by_run_id = ScheduleState.ACTIVE, "", None
    schedule.failures_in_row = 0
    if schedule.next_due_at is None:
        schedule.state = ScheduleState.FINISHED
    return True


def run_now(actor: Actor, schedule_id: int, *, now: datetime | None = None) -> Firing:
    """Run it once more, by hand, whatever its state and hours; the ledger says who asked.

    It runs with its owner's authority. Raises Conflict while a run is under way, or where it may not run at all.
    """
    moment = now or timezone.now()
    found = get_schedule(actor, schedule_id)
    check_may_steer(actor, found)
    with unit_of_work():
        schedule = hold(found)
        _check_runnable(schedule)
        firing = Firing.objects.create(
            organization_id=schedule.organization_id,
            schedule=schedule,
            due_at=moment,
            trigger=Trigger.MANUAL,
            decision=FiringDecision.FIRED,
            execution=Execution.QUEUED,
            asked_by=actor.user,
            decided_at=moment,
        )
        start([firing])
        audit.record(actor, actor.organization, "schedule.run", target=f"schedule:{schedule.pk}")
        tell(schedule, firing)
    return firing


def _check_runnable(schedule: Schedule) -> None:
    if schedule.deleted_at is not None:
        raise Conflict("This schedule has been removed.")
    if schedule.state == ScheduleState.PROPOSED:
        raise Conflict("Confirm it first.")
    if Firing.objects.filter(schedule_id=schedule.pk, execution__in=LIVE_EXECUTIONS).exists():
        raise Conflict("It is running already.")
    schedule.agent_id = schedule.conversation.agent_id
    if obstacle := find_obstacles([schedule]).get(schedule.pk):
        raise Conflict(f"It cannot run: {Reason(obstacle).label.lower()}.")


def _change(
    actor: Actor,
    schedule_id: int,
    action: str,
    act: Callable[[Schedule, datetime], bool],
    now: datetime | None,
) -> Schedule:
    found = get_schedule(actor, schedule_id)
    check_may_steer(actor, found)
    with unit_of_work():
        schedule = hold(found)
        if schedule.deleted_at is not None:
            raise Conflict("This schedule has been removed.")
        if act(schedule, now or timezone.now()):
            schedule.save()
            audit.record(actor, actor.organization, action, target=f"schedule:{schedule.pk}")
            tell(schedule)
    return schedule
