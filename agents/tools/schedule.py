"""How channels and branches plan: what should run later, or again and again.

Whatever is made here is proposed: it runs after a person has confirmed it, and no tool can. Times come as people say them or
in named parts; the server works out dates and zones and answers with the next three, to be read back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import AccountsError
from accounts.models import Person, User
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.schedule_times import ScheduleCreate, read_arguments
from messaging.models import Conversation
from tasks.models import Schedule, ScheduleState
from tasks.schedules.timing import timing_of
from tasks.schedules.words import describe, show_all
from tasks.services.schedules import acts, editing
from tasks.services.schedules.removing import remove
from tasks.services.schedules.rows import hold, tell

HOLDERS = frozenset({"channel", "branch"})
MOST_LISTED = 30


def schedule_create(context: ToolContext, arguments: ScheduleCreate) -> ToolOutput:
    run, owner = context.run, requester_of(context.run)
    conversation = _conversation(run)
    try:
        schedule = editing.propose_schedule(
            conversation,
            owner,
            prompt=arguments.prompt,
            when=read_arguments(conversation, arguments),
            run_id=run.pk,
            key=f"propose.{context.key}",
            name=arguments.name,
        )
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    timing = timing_of(schedule)
    return ToolOutput(
        f"Proposed as schedule {schedule.pk}: {describe(timing)}. Next times: "
        f"{show_all(timing.upcoming(timezone.now()))} ({schedule.time_zone}). It does not run yet: "
        "a person has to confirm it, on the card in this conversation or under Schedule."
    )


class ScheduleList(Arguments):
    pass


def schedule_list(context: ToolContext, arguments: ScheduleList) -> ToolOutput:
    owner = requester_of(context.run)
    now = timezone.now()
    lines = [
        f"- schedule {row.pk}, {row.get_state_display().lower()}: {row.name}. {describe(timing_of(row))}. "
        f"Next: {show_all(timing_of(row).upcoming(now, 1)) or 'never'}"
        for row in _of_requester(context.run, owner).order_by("pk")[:MOST_LISTED]
    ]
    return ToolOutput("\n".join(lines) or "There are no schedules of theirs in this conversation.")


class ScheduleChange(Arguments):
    schedule_id: int
    action: Literal["pause", "resume", "delete"]


def schedule_change(context: ToolContext, arguments: ScheduleChange) -> ToolOutput:
    run, owner = context.run, requester_of(context.run)
    found = _of_requester(run, owner).filter(pk=arguments.schedule_id).first()
    if found is None:
        raise ToolRetry(f"They have no schedule {arguments.schedule_id} in this conversation.")
    schedule, now, by = hold(found), timezone.now(), f"{run.agent.name}, asked by {owner}"
    if arguments.action == "resume":
        return _resume(schedule, now)
    if arguments.action == "pause":
        if not acts.lay_by(schedule, reason=f"Paused by {by}", now=now, run_id=run.pk):
            return ToolOutput(f"Schedule {schedule.pk} is not active; nothing was changed.")
        schedule.save()
        tell(schedule)
        return ToolOutput(f"Schedule {schedule.pk} is paused.")
    remove(schedule, reason=f"Removed by {by}", now=now)
    return ToolOutput(f"Schedule {schedule.pk} is removed.")


def _resume(schedule: Schedule, now: datetime) -> ToolOutput:
    """Take back a pause that a tool made; what a person paused, only a person starts again."""
    if schedule.state != ScheduleState.PAUSED or schedule.paused_by_run_id is None:
        raise ToolFailed("only a person starts this one again, under Schedule")
    acts.take_up(schedule, now=now)
    schedule.save()
    tell(schedule)
    return ToolOutput(
        f"Schedule {schedule.pk} runs again. Next: {show_all(timing_of(schedule).upcoming(now))}."
    )


def requester_of(run: Run) -> User:
    """Return the member who asked; a schedule runs with somebody's authority, so there must be one."""
    user = run.requester_user
    if user is None and run.requester_person_id is not None:
        person = Person.objects.select_related("user").get(pk=run.requester_person_id)
        user = person.user
    if user is None:
        raise ToolFailed("whoever asked has no account here, and a schedule runs with somebody's authority")
    if run.report_to_id is not None:
        raise ToolFailed("a scheduled job cannot make or change schedules")
    return user


def _of_requester(run: Run, owner: User) -> QuerySet[Schedule]:
    assert run.conversation_id is not None
    return Schedule.objects.filter(
        organization_id=run.organization_id, conversation_id=run.conversation_id, owner=owner, deleted_at=None
    ).exclude(state=ScheduleState.FINISHED)


def _conversation(run: Run) -> Conversation:
    assert run.conversation_id is not None
    return Conversation.objects.select_related("organization").get(pk=run.conversation_id)


TOOLS = (
    Tool(
        name="schedule_create",
        description="Propose something to run later or repeatedly; a person has to confirm it.",
        arguments=ScheduleCreate,
        function=schedule_create,
        kinds=HOLDERS,
    ),
    Tool(
        name="schedule_list",
        description="List the schedules of the person who asks, in this conversation.",
        arguments=ScheduleList,
        function=schedule_list,
        kinds=HOLDERS,
    ),
    Tool(
        name="schedule_change",
        description="Pause or remove a schedule of the person who asks, or take back a pause you made.",
        arguments=ScheduleChange,
        function=schedule_change,
        kinds=HOLDERS,
    ),
)
