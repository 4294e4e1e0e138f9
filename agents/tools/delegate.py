"""How work is handed on: branches think, workers do. Starting returns at once; nobody waits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from accounts.errors import AccountsError
from agents.coding.choosing import INSTEAD, choose
from agents.coding.errors import NoBackend
from agents.engine import wakeups
from agents.errors import ToolFailed, ToolRetry
from agents.models import LIVE_STATES, Run, RunInput, RunKind, RunState
from agents.processes import limits
from agents.services.attempts import is_bound, task_input
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.planning import author_of
from tasks.models import Task
from tasks.services.changes import lock_task
from tasks.services.starting import begin

SPEAKERS = frozenset({"channel", "cron"})
CHILDREN = (RunKind.BRANCH, RunKind.WORKER, RunKind.COLLEAGUE)
MOST_LIVE = {RunKind.BRANCH: 20, RunKind.WORKER: 20, RunKind.COLLEAGUE: 10}


class Branch(Arguments):
    task: str = Field(description="The question, complete in itself.", min_length=3, max_length=8_000)


def branch(context: ToolContext, arguments: Branch) -> ToolOutput:
    check_room(context.run, RunKind.BRANCH, arguments.task)
    child = wakeups.start_child(
        context.run,
        kind=RunKind.BRANCH,
        task=arguments.task,
        key=context.key,
        active_limit_s=limits.active_limit_s(context.run.agent, RunKind.BRANCH),
        fork_seq=_fork(context),
    )
    return ToolOutput(
        f"Branch #{child.pk} started. Its conclusion comes to you as a report; do not wait for it."
    )


def _fork(context: ToolContext) -> int | None:
    """Return the newest message that a branch may see: a scheduled job has no history to hand on."""
    if context.run.kind == RunKind.CRON:
        return 0
    return context.held.last_seq if context.held else None


class SpawnWorker(Arguments):
    task: str = Field(
        default="",
        description="Complete in itself: the worker does not see this conversation.",
        max_length=20_000,
    )
    task_number: int | None = Field(
        default=None,
        description="Instead of task: a ready task of the board.",
    )
    interactive: bool = Field(
        default=False, description="It stays after its result, for follow-ups by route."
    )
    worker_type: Literal["builtin", "coding"] = Field(
        default="builtin", description="coding: a full coding agent."
    )


def spawn_worker(context: ToolContext, arguments: SpawnWorker) -> ToolOutput:
    if arguments.task_number is not None:
        return _spawn_for_task(context, arguments, arguments.task_number)
    if len(arguments.task.strip()) < 3:
        raise ToolRetry("Say what the worker is to do, or give the number of a ready task.")
    check_room(context.run, RunKind.WORKER, arguments.task)
    child = wakeups.start_child(
        context.run,
        kind=RunKind.WORKER,
        task=arguments.task,
        key=context.key,
        active_limit_s=limits.active_limit_s(context.run.agent, RunKind.WORKER),
        interactive=arguments.interactive,
        more=_type_of(context.run, arguments.worker_type),
    )
    return ToolOutput(f"Worker #{child.pk} started. Its result comes as a report; do not wait for it.")


def _type_of(run: Run, worker_type: str) -> dict[str, object]:
    """Return what a run keeps of its type; raise ToolFailed where nobody here can do it."""
    if worker_type != "coding":
        return {}
    try:
        choose(run.agent)
    except NoBackend as error:
        raise ToolFailed(f"{error}. {INSTEAD}") from None
    return {"worker_type": worker_type}


def _spawn_for_task(context: ToolContext, arguments: SpawnWorker, number: int) -> ToolOutput:
    if arguments.task or arguments.interactive:
        raise ToolRetry(
            "A task of the board is done as it was approved, once: leave task and interactive out. Comment on it, or"
            " propose a change, if something is missing."
        )
    run, author = context.run, author_of(context.run)

    def start(task: Task) -> int:
        child = wakeups.start_child(
            run,
            kind=RunKind.WORKER,
            task=f"#{task.number} {task.title}",
            key=context.key,
            active_limit_s=limits.active_limit_s(run.agent, RunKind.WORKER),
            more=task_input(task),
        )
        return child.pk

    try:
        task = lock_task(author, number)
        check_room(run, RunKind.WORKER, f"Task #{task.number}: {task.title}")
        attempt = begin(author, task, agent_id=run.agent_id, start=start)
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    return ToolOutput(
        f"Worker #{attempt.run_id} started on task #{number}, attempt {attempt.number}. Its result comes as a report; "
        "do not wait for it."
    )


class Route(Arguments):
    worker_id: int
    message: str = Field(min_length=1, max_length=20_000)


def route(context: ToolContext, arguments: Route) -> ToolOutput:
    worker = find_child(context.run, arguments.worker_id)
    if worker.kind != RunKind.WORKER:
        raise ToolRetry(f"#{worker.pk} is a {worker.kind}; only workers take follow-ups.")
    if is_bound(worker):
        raise ToolRetry(
            f"#{worker.pk} does task #{worker.input['task_number']} as it was approved; comment there."
        )
    if worker.state not in LIVE_STATES or worker.cancel_requested_at:
        raise ToolFailed(f"worker #{worker.pk} has finished; start a new one")
    _, created = RunInput.objects.get_or_create(
        key=context.key,
        defaults={"organization_id": worker.organization_id, "run": worker, "text": arguments.message},
    )
    if created and worker.state == RunState.WAITING:
        wakeups.requeue(worker)
    return ToolOutput(f"Worker #{worker.pk} gets it at its next step.")


class Cancel(Arguments):
    process_type: Literal["branch", "worker", "colleague"]
    process_id: int
    reason: str = Field(default="", max_length=300)


def cancel(context: ToolContext, arguments: Cancel) -> ToolOutput:
    from agents.services.runs import request_cancel

    child = find_child(context.run, arguments.process_id)
    if child.kind != arguments.process_type:
        raise ToolRetry(f"#{child.pk} is a {child.kind}.")
    if child.state not in LIVE_STATES:
        raise ToolFailed(f"{child.kind} #{child.pk} has finished already")
    request_cancel(child, reason=arguments.reason or "cancelled by the agent")
    return ToolOutput(f"{child.kind.title()} #{child.pk} is being cancelled.")


def find_child(run: Run, child_id: int) -> Run:
    """Return a child of the run's own conversation, its row held, or raise ToolRetry."""
    assert run.conversation_id is not None
    place = "this job" if run.kind == RunKind.CRON else "this conversation"
    child = (
        Run.objects.select_for_update()
        .filter(
            pk=child_id,
            conversation_id=run.conversation_id,
            kind__in=CHILDREN,
            report_to_id=_heard_by(run),
        )
        .first()
    )
    if child is None:
        raise ToolRetry(f"There is no branch, worker or colleague #{child_id} in {place}.")
    return child


def _heard_by(run: Run) -> int | None:
    """Return the run that this one's children report to; None where they report to the conversation."""
    return run.pk if run.kind == RunKind.CRON else run.report_to_id


def check_room(run: Run, kind: RunKind, task: str) -> None:
    """Raise ToolRetry when the same task is under way, or too many are waiting already."""
    assert run.conversation_id is not None
    live = Run.objects.filter(
        conversation_id=run.conversation_id, kind=kind, state__in=LIVE_STATES, report_to_id=_heard_by(run)
    )
    for other in live.only("id", "input")[: MOST_LIVE[kind]]:
        if str(other.input.get("task", "")).strip() == task.strip():
            raise ToolRetry(f"{kind.title()} #{other.pk} is already on exactly this.")
    if live.count() >= MOST_LIVE[kind]:
        raise ToolRetry(
            f"{MOST_LIVE[kind]} of kind {kind} are under way here. Let some finish, or cancel some."
        )


TOOLS = (
    Tool(
        name="branch",
        description="Think something through in the background, with a copy of this conversation. Returns at once.",
        arguments=Branch,
        function=branch,
        kinds=SPEAKERS,
    ),
    Tool(
        name="spawn_worker",
        description="Give a task that needs tools (files, research, long work) to a worker. Returns at once.",
        arguments=SpawnWorker,
        function=spawn_worker,
        kinds=SPEAKERS | {"branch", "colleague"},
    ),
    Tool(
        name="route",
        description="Send a follow-up to a running or idle worker of this conversation.",
        arguments=Route,
        function=route,
        kinds=SPEAKERS,
    ),
    Tool(
        name="cancel",
        description="Stop a branch or worker of this conversation.",
        arguments=Cancel,
        function=cancel,
        kinds=SPEAKERS,
    ),
)
