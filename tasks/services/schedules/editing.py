"""Making, changing and removing schedules.

A person's schedule is active at once; an agent's is proposed, and nothing but a person's confirmation makes it run. Whoever
confirms or rewrites a schedule becomes its owner: nobody's authority runs words that somebody else put in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.models import User
from accounts.services import audit
from messaging.models import Conversation, Participant
from messaging.queries import get_conversation
from realtime.services import unit_of_work
from tasks.models import LIVE_EXECUTIONS, Firing, Schedule, ScheduleState
from tasks.queries.schedules import check_may_steer, get_schedule
from tasks.schedules.timing import Timing, timing_of
from tasks.services.proposals import doors
from tasks.services.proposals.contents import waits
from tasks.services.proposals.following import follow
from tasks.services.schedules import ledger
from tasks.services.schedules.fields import (
    When,
    check_whole,
    make_name,
    read_when,
    set_plain,
    set_timing,
)
from tasks.services.schedules.removing import remove
from tasks.services.schedules.rows import hold, last_accounted, tell

MOST_OF_ONE_OWNER = 1_000
MOST_PROPOSED = 30
WORDS = ("name", "prompt", "conversation_id")


def create_schedule(
    actor: Actor,
    *,
    conversation_id: int,
    prompt: str,
    when: When,
    now: datetime | None = None,
    **options: Any,
) -> Schedule:
    """Make a schedule of the actor's own, which is active from now on.

    Raises NotFound for a conversation they do not take part in, InvalidInput with the field that is wrong.
    """
    now = now or timezone.now()
    conversation = get_conversation(actor, conversation_id)
    schedule = _build(conversation, actor.user, prompt=prompt, when=when, now=now, options=options)
    schedule.state, schedule.confirmed_by, schedule.confirmed_at = ScheduleState.ACTIVE, actor.user, now
    schedule.next_due_at = timing_of(schedule).next_after(now)
    with unit_of_work():
        _check_number(actor.user, conversation)
        schedule.save()
        audit.record(actor, actor.organization, "schedule.created", target=f"schedule:{schedule.pk}")
        tell(schedule)
    return schedule


def propose_schedule(
    conversation: Conversation,
    owner: User,
    *,
    prompt: str,
    when: When,
    run_id: int,
    key: str,
    now: datetime | None = None,
    **options: Any,
) -> Schedule:
    """Keep what an agent wants to run for somebody; it waits for a person. The same `key` again returns the first.

    Call inside a unit of work. Raises InvalidInput.
    """
    now = now or timezone.now()
    found = Schedule.objects.filter(key=key).first()
    if found is not None:
        return found
    if not Participant.objects.filter(conversation=conversation, person__user=owner).exists():
        raise InvalidInput("Who asked does not take part in this conversation.")
    schedule = _build(conversation, owner, prompt=prompt, when=when, now=now, options=options)
    schedule.state, schedule.proposed_by_run_id, schedule.key = ScheduleState.PROPOSED, run_id, key
    _check_number(owner, conversation)
    if _mine(owner, conversation).filter(state=ScheduleState.PROPOSED).count() >= MOST_PROPOSED:
        raise Conflict("Too many proposals wait for them already; they should decide about those first.")
    schedule.save()
    tell(schedule)
    follow(schedule)
    return schedule


def _build(
    conversation: Conversation,
    owner: User,
    *,
    prompt: str,
    when: When,
    now: datetime,
    options: dict[str, Any],
) -> Schedule:
    organization = conversation.organization
    schedule = Schedule(
        organization=organization, conversation=conversation, agent_id=conversation.agent_id, owner=owner
    )
    set_timing(schedule, read_when(when, default_zone=organization.time_zone, now=now))
    name = options.pop("name", "") or make_name(prompt.strip() or "Schedule")
    set_plain(schedule, {"name": name, "prompt": prompt, **options})
    check_whole(schedule, now=now)
    return schedule


def _check_number(owner: User, conversation: Conversation) -> None:
    if _mine(owner, conversation).count() >= MOST_OF_ONE_OWNER:
        raise Conflict(f"One person has at most {MOST_OF_ONE_OWNER:,} schedules; remove some first.")


def _mine(owner: User, conversation: Conversation) -> QuerySet[Schedule]:
    rows = Schedule.objects.filter(organization=conversation.organization_id, owner=owner, deleted_at=None)
    return rows.exclude(state=ScheduleState.FINISHED)


def preview(actor: Actor, when: When, *, now: datetime | None = None) -> Timing:
    """Work out when something would run, without keeping anything. Raises InvalidInput."""
    return read_when(when, default_zone=actor.organization.time_zone, now=now or timezone.now())


def update_schedule(
    actor: Actor,
    schedule_id: int,
    *,
    when: When | None = None,
    conversation_id: int | None = None,
    now: datetime | None = None,
    **changes: Any,
) -> Schedule:
    """Change it. New times count from now; what came due before is accounted for under the old ones.

    Raises Conflict where it should answer elsewhere while a run is under way.
    """
    now = now or timezone.now()
    found = get_schedule(actor, schedule_id)
    check_may_steer(actor, found)
    target = get_conversation(actor, conversation_id) if conversation_id is not None else None
    with unit_of_work():
        schedule = hold(found)
        _check_here(schedule)
        ledger.account(schedule, now=now)
        set_plain(schedule, changes)
        if when is not None:
            _retime(schedule, when, now)
        if target is not None and target.pk != schedule.conversation_id:
            _move(schedule, target)
        check_whole(schedule, now=now)
        if when is not None or target is not None or set(changes) & set(WORDS):
            schedule.owner = actor.user
        schedule.save()
        fields = sorted({*changes, *(["when"] if when else []), *(["conversation_id"] if target else [])})
        audit.record(
            actor, actor.organization, "schedule.changed", target=f"schedule:{schedule.pk}", fields=fields
        )
        tell(schedule)
        if schedule.state == ScheduleState.PROPOSED:
            follow(schedule)
    return schedule


def _retime(schedule: Schedule, when: When, now: datetime) -> None:
    if not when.time_zone and not when.phrase:
        when = When(**{**when.__dict__, "time_zone": schedule.time_zone})
    timing = read_when(when, default_zone=schedule.time_zone, now=now)
    set_timing(schedule, timing)
    if schedule.state == ScheduleState.FINISHED:
        schedule.state = ScheduleState.ACTIVE
    if schedule.state != ScheduleState.PROPOSED:
        # An instant that a clock which ran ahead has accounted for is not due a second time.
        last = last_accounted(schedule.pk)
        schedule.next_due_at = timing.next_after(max(now, last) if last else now)


def _move(schedule: Schedule, target: Conversation) -> None:
    if Firing.objects.filter(schedule_id=schedule.pk, execution__in=LIVE_EXECUTIONS).exists():
        raise Conflict("A run is under way; let it end before you change where it answers.")
    schedule.conversation, schedule.agent_id = target, target.agent_id


def delete_schedule(actor: Actor, schedule_id: int, *, now: datetime | None = None) -> None:
    """Remove it: nothing fires any more, what was fired and has not begun is stopped. Its ledger stays for the audit.

    What is only proposed is turned down, by its approval.
    """
    found = get_schedule(actor, schedule_id)
    with unit_of_work():
        schedule = hold(found)
        if waits(schedule):
            doors.turn_down(actor, schedule)
            return
        check_may_steer(actor, schedule)
        remove(schedule, reason=f"{actor.user} removed the schedule", now=now or timezone.now())
        audit.record(actor, actor.organization, "schedule.deleted", target=f"schedule:{found.pk}")


def _check_here(schedule: Schedule) -> None:
    if schedule.deleted_at is not None:
        raise Conflict("This schedule has been removed.")
