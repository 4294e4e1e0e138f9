"""What only an autonomous run holds: starting what is ready, reading what woke it, and its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, cast

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from accounts.errors import AccountsError
from accounts.models import Membership, Person
from agents.autonomy import levels
from agents.engine import wakeups
from agents.errors import ToolFailed, ToolRetry
from agents.models import Autonomy, Run, RunKind
from agents.processes import limits
from agents.services.attempts import task_input
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.planning import author_of
from messaging.models import Conversation, Participant
from tasks.models import Audience, Authority, Task, WakePayload
from tasks.services.starting import begin

if TYPE_CHECKING:
    from agents.processes.autonomy import Autonomous

AUTONOMY = frozenset({"autonomy"})
PAGE = 8_000
Kind = Literal["observed", "remembered", "commented", "proposed", "improved", "started", "left"]


class BeginTask(Arguments):
    number: int = Field(description="A task of yours, or nobody's, that is ready.")


def begin_task(context: ToolContext, arguments: BeginTask) -> ToolOutput:
    run = context.run
    row = Autonomy.objects.get(agent_id=run.agent_id)
    _check_budget(run, row)
    task = _lock(run, row, arguments.number)
    levels.check_goal(task, Authority.EXECUTE)
    try:
        attempt = begin(
            author_of(run), task, agent_id=run.agent_id, start=lambda task: _start_worker(run, task)
        )
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    return ToolOutput(
        f"Worker #{attempt.run_id} is on task #{task.number}, attempt {attempt.number}. Its end is told on the task;"
        " do not wait for it."
    )


def _check_budget(run: Run, row: Autonomy) -> None:
    if levels.standing_of(run.agent_id).is_paused:
        raise ToolFailed("you are paused; nothing new is started")
    mine = Run.objects.filter(kind=RunKind.WORKER, agent_id=run.agent_id, parent__kind=RunKind.AUTONOMY)
    if mine.filter(parent=run).count() >= row.tasks_per_run:
        raise ToolFailed(f"you have started {row.tasks_per_run} tasks in this run, which is the limit")
    if mine.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= row.tasks_per_day:
        raise ToolFailed(f"you have started {row.tasks_per_day} tasks within a day, which is the limit")


def _lock(run: Run, row: Autonomy, number: int) -> Task:
    """Return a task that everyone may see, or that is this agent's own, its row held."""
    task = (
        Task.objects.filter(organization_id=run.organization_id, number=number)
        .select_for_update(no_key=True, of=("self",))
        .first()
    )
    is_mine = task is not None and task.assignee_agent_id == run.agent_id
    if task is None or not (is_mine or task.audience == Audience.ORGANIZATION):
        raise ToolRetry(f"There is no task #{number}.")
    if not is_mine and not row.claim_unowned:
        raise ToolFailed("you take only tasks that were given to you")
    return task


def _start_worker(run: Run, task: Task) -> int:
    """Make the worker's run. It works with the authority of whoever asked for the task, or else approved it."""
    user_id = task.requester_user_id or task.decided_by_id
    member = Membership.objects.filter(
        organization_id=run.organization_id, user_id=user_id or 0, user__is_active=True
    )
    person = Person.objects.filter(organization_id=run.organization_id, user_id=user_id or 0).first()
    if user_id is None or person is None or not member.exists():
        raise ToolFailed("nobody who is still here asked for this task or approved it; people must start it")
    child = wakeups.start_run(
        organization_id=run.organization_id,
        agent=run.agent,
        conversation_id=_place(run, task, person.pk),
        user_id=user_id,
        person_id=person.pk,
        kind=RunKind.WORKER,
        title=f"#{task.number} {task.title}"[:200],
        values=task_input(task),
        active_limit_s=limits.active_limit_s(run.agent, RunKind.WORKER),
        parent=run,
    )
    return child.pk


def _place(run: Run, task: Task, person_id: int) -> int | None:
    """Return the conversation that hears the result: where the task came from, if agent and requester are still there."""
    where = Conversation.objects.filter(
        pk=task.conversation_id or 0, agent_id=run.agent_id, archived_at=None
    ).first()
    if where is None or not Participant.objects.filter(conversation=where, person_id=person_id).exists():
        return None
    return where.pk


class ReadWake(Arguments):
    event_id: int
    offset: int = Field(default=0, ge=0, description="In characters, to read on.")


def read_wake(context: ToolContext, arguments: ReadWake) -> ToolOutput:
    if arguments.event_id not in context.run.input["event_ids"]:
        raise ToolRetry("That event did not wake you.")
    rows = WakePayload.objects.filter(
        event_id=arguments.event_id, organization_id=context.run.organization_id
    ).order_by("-id")
    text = "\n".join(
        json.dumps({"at": row.created_at.isoformat(), "payload": row.payload}, ensure_ascii=False)
        for row in rows
    )
    part = text[arguments.offset : arguments.offset + PAGE]
    left = len(text) - arguments.offset - len(part)
    more = (
        f"\n[{left:,} characters are left: read on at offset {arguments.offset + PAGE}]" if left > 0 else ""
    )
    return ToolOutput(f"{part or 'There is nothing there.'}{more}")


class Action(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Kind
    task_number: int | None = None
    detail: str = Field(default="", max_length=300)


class Finish(Arguments):
    summary: str = Field(
        min_length=10, max_length=4_000, description="Two to five lines: what you saw, did, and left."
    )
    actions: list[Action] = Field(default_factory=list, max_length=30)


def finish(context: ToolContext, arguments: Finish) -> ToolOutput:
    process = cast("Autonomous", context.process)
    actions = [each.model_dump(exclude_none=True) for each in arguments.actions]
    return ToolOutput("Noted.", process.summed_up(arguments.summary.strip(), actions))


TOOLS = (
    Tool(
        name="begin_task",
        description="Set a worker on a task that is ready. Returns at once.",
        arguments=BeginTask,
        function=begin_task,
        kinds=AUTONOMY,
    ),
    Tool(
        name="read_wake",
        description="Read everything that came with an event that woke you.",
        arguments=ReadWake,
        function=read_wake,
        kinds=AUTONOMY,
        polling=True,
    ),
    Tool(
        name="finish",
        description="End this run with a summary, which people and your next run read.",
        arguments=Finish,
        function=finish,
        kinds=AUTONOMY,
        ends_run=True,
    ),
)
