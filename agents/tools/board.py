"""The board in agents' hands. What software proposes waits for a person; no argument of any tool here gets round that.

A branch sees what everyone may see and what came out of its own conversation. A worker holds the one task it is bound
to. Every tool answers with the row as it now is, as JSON, so that no text in it can pass for a line of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from accounts.errors import AccountsError
from agents.autonomy.levels import check_change
from agents.errors import ToolRetry
from agents.models import Run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from tasks.agents import workforce
from tasks.authors import Author
from tasks.models import AuthorKind, GoalStatus, TaskComment, TaskRevision, TaskState
from tasks.payloads import author_name, comment_payload, goal_payload, task_facts
from tasks.queries import board as queries
from tasks.services import board, comments, goals, moves, work
from tasks.services.starting import find_bound_task
from tasks.snapshots import Holder, differences, snapshot

LISTERS = frozenset({"channel", "branch", "autonomy"})
BRANCH = frozenset({"branch", "autonomy"})
WORKER = frozenset({"worker"})
PriorityWord = Literal["critical", "high", "medium", "low"]
OMITTED = frozenset(
    {"description", "subtasks", "skills", "workspace", "worker_type", "decision_note", "created_at"}
)


def author_of(run: Run, kind: AuthorKind = AuthorKind.AGENT) -> Author:
    return Author(
        kind,
        run.organization_id,
        user_id=run.requester_user_id,
        person_id=run.requester_person_id,
        agent_id=run.agent_id,
        run_id=run.pk,
        conversation_id=run.conversation_id,
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """Let the model read why the board refused."""
    try:
        yield
    except AccountsError as error:
        raise ToolRetry(str(error)) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _whole(author: Author, number: int) -> ToolOutput:
    names = workforce().names(author.organization_id)
    return ToolOutput(_json(task_facts(queries.find_task(author, number), names)))


def _holder(run: Run, text: str) -> Holder | None:
    """Read `me`, `agent:3`, `person:7`, or `nobody`."""
    kind, _, number = text.partition(":")
    if text == "nobody":
        return None
    if text == "me":
        return Holder("agent", run.agent_id)
    if kind not in ("agent", "person") or not (number.isascii() and number.isdecimal() and len(number) < 18):
        raise ToolRetry("Write me, nobody, agent:3 or person:7; task_list shows who is who.")
    return Holder("agent" if kind == "agent" else "person", int(number))


class Subtask(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=300)
    done: bool = False


class TaskList(Arguments):
    states: list[TaskState] = Field(default_factory=list, description="Empty: all that are not done.")
    assigned_to_me: bool = False
    goal_id: int | None = None
    search: str = Field(default="", max_length=200)
    limit: int = Field(default=20, ge=1, le=100)


def task_list(context: ToolContext, arguments: TaskList) -> ToolOutput:
    author = author_of(context.run)
    open_states = tuple(state for state in TaskState if state != TaskState.DONE)
    wanted = queries.TaskFilter(
        states=tuple(arguments.states) or open_states,
        assignee=Holder("agent", context.run.agent_id) if arguments.assigned_to_me else None,
        goal_id=arguments.goal_id,
        search=arguments.search,
    )
    names = workforce().names(author.organization_id)
    rows = queries.page_of_tasks(author, wanted, limit=arguments.limit + 1)
    lines = []
    for task in rows[: arguments.limit]:
        facts = {key: value for key, value in task_facts(task, names).items() if value and key not in OMITTED}
        facts["last_outcomes"] = [each.outcome for each in task.attempts.all() if each.outcome][-3:]
        lines.append(_json(facts))
    more = "\nThere are more; narrow it down." if len(rows) > arguments.limit else ""
    return ToolOutput("\n".join(lines) + more if lines else "There are no such tasks.")


class TaskCreate(Arguments):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(
        default="",
        max_length=50_000,
        description="The specification in Markdown, complete in itself: what, why, and how to tell that it is done.",
    )
    subtasks: list[Subtask] = Field(default_factory=list, max_length=50)
    priority: PriorityWord = "medium"
    goal_id: int | None = None
    assignee: str = Field(default="me", max_length=30, description="me, nobody, agent:3 or person:7.")
    skills: list[str] = Field(default_factory=list, max_length=20)
    needs: list[int] = Field(
        default_factory=list, max_length=20, description="Tasks that must be done first."
    )


def task_create(context: ToolContext, arguments: TaskCreate) -> ToolOutput:
    author = author_of(context.run)
    values = arguments.model_dump(exclude={"assignee"})
    with _refusals():
        task = board.create_task(author, assignee=_holder(context.run, arguments.assignee), **values)
    return _whole(author, task.number)


class TaskUpdate(Arguments):
    number: int
    expected_revision: int | None = Field(default=None, description="The revision you have read.")
    summary: str = Field(min_length=3, max_length=200, description="What you change, and why.")
    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=50_000)
    subtasks: list[Subtask] | None = Field(default=None, max_length=50)
    priority: PriorityWord | None = None
    goal_id: int | None = None
    assignee: str | None = Field(default=None, max_length=30, description="me, nobody, agent:3 or person:7.")
    skills: list[str] | None = Field(default=None, max_length=20)
    needs: list[int] | None = Field(default=None, max_length=20)
    metadata: dict[str, Any] | None = None
    hold: Literal["backlog", "blocked"] | None = Field(
        default=None,
        description="Take a ready task back: to the backlog, or blocked because of what summary says.",
    )


def task_update(context: ToolContext, arguments: TaskUpdate) -> ToolOutput:
    author = author_of(context.run)
    sent = arguments.model_dump(
        exclude={"number", "expected_revision", "summary", "assignee", "hold"}, exclude_none=True
    )
    if arguments.assignee is not None:
        sent["assignee"] = _holder(context.run, arguments.assignee)
    if bool(sent) == bool(arguments.hold):
        raise ToolRetry("Either change what the task says, or hold it: one at a time.")
    with _refusals():
        task = queries.find_task(author, arguments.number)
        check_change(context.run, task)
        if arguments.hold:
            board.check_editor(author, task)
            moves.move_task(
                author,
                arguments.number,
                arguments.hold,
                expected_revision=arguments.expected_revision,
                reason=arguments.summary,
            )
        else:
            board.edit_task(
                author,
                arguments.number,
                expected_revision=arguments.expected_revision,
                summary=arguments.summary,
                **sent,
            )
        return _whole(author, arguments.number)


class Comment(Arguments):
    number: int
    text: str = Field(min_length=1, max_length=10_000)


def task_comment(context: ToolContext, arguments: Comment) -> ToolOutput:
    author = author_of(context.run)
    with _refusals():
        comments.add_comment(author, arguments.number, arguments.text, key=context.key)
        return _whole(author, arguments.number)


class History(Arguments):
    number: int
    since_revision: int | None = Field(
        default=None, ge=1, description="Show what has changed since this one."
    )


def task_history(context: ToolContext, arguments: History) -> ToolOutput:
    author = author_of(context.run)
    names = workforce().names(author.organization_id)
    with _refusals():
        task = queries.find_task(author, arguments.number)
        if arguments.since_revision is not None:
            before = queries.get_revision(author, task.number, arguments.since_revision).snapshot
            changed = [
                {"field": each.field, "before": each.before, "after": each.after}
                for each in differences(before, snapshot(task))
            ]
            return ToolOutput(_json({"revision": task.revision, "changed": changed}))
    revisions = TaskRevision.objects.filter(task=task).select_related("author_user").order_by("-number")[:30]
    said = TaskComment.objects.filter(task=task).select_related("author_user").order_by("-id")[:30]
    found = {
        "task": task_facts(task, names),
        "revisions": [
            {
                "number": row.number,
                "by": author_name(row, names),
                "summary": row.summary,
                "at": row.created_at,
            }
            for row in revisions
        ],
        "comments": [comment_payload(row, names) for row in reversed(said)],
        "attempts": [
            {"number": row.number, "outcome": row.outcome or "under way", "summary": row.summary[:1000]}
            for row in task.attempts.all()
        ],
    }
    return ToolOutput(_json(found))


class GoalList(Arguments):
    statuses: list[GoalStatus] = Field(default_factory=list, description="Empty: the active ones.")
    limit: int = Field(default=20, ge=1, le=50)


def goal_list(context: ToolContext, arguments: GoalList) -> ToolOutput:
    author = author_of(context.run)
    statuses = tuple(arguments.statuses) or (GoalStatus.ACTIVE,)
    rows = queries.list_goals(author, statuses=statuses, limit=arguments.limit)
    if not rows:
        return ToolOutput("There are no such goals.")
    progress = queries.progress_of(author, [goal.pk for goal in rows])
    names = workforce().names(author.organization_id)
    return ToolOutput("\n".join(_json(goal_payload(goal, progress[goal.pk], names)) for goal in rows))


class GoalPropose(Arguments):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=20_000, description="With the success criteria.")
    priority: PriorityWord = "medium"
    due_on: str | None = Field(default=None, description="A day, as 2027-03-31.")
    parent_id: int | None = None


def goal_propose(context: ToolContext, arguments: GoalPropose) -> ToolOutput:
    author = author_of(context.run)
    with _refusals():
        goal = goals.create_goal(author, **arguments.model_dump(exclude_none=True))
    return _goal(author, goal.pk)


class GoalNote(Arguments):
    goal_id: int
    notes: str = Field(max_length=10_000, description="Replaces the notes; keep in it what still holds.")


def goal_note(context: ToolContext, arguments: GoalNote) -> ToolOutput:
    author = author_of(context.run)
    with _refusals():
        goals.note_goal(author, arguments.goal_id, arguments.notes)
        return _goal(author, arguments.goal_id)


def _goal(author: Author, goal_id: int) -> ToolOutput:
    goal = queries.find_goal(author, goal_id)
    names = workforce().names(author.organization_id)
    return ToolOutput(_json(goal_payload(goal, queries.progress_of(author, [goal_id])[goal_id], names)))


class Progress(Arguments):
    done: list[int] = Field(
        default_factory=list, max_length=50, description="Subtasks that are done, by place."
    )
    undone: list[int] = Field(default_factory=list, max_length=50)
    metadata: dict[str, Any] = Field(default_factory=dict, description="Merged; a null removes a key.")


def task_progress(context: ToolContext, arguments: Progress) -> ToolOutput:
    author = author_of(context.run, AuthorKind.WORKER)
    with _refusals():
        task = work.note_progress(
            author,
            context.run.pk,
            done=arguments.done,
            undone=arguments.undone,
            metadata=arguments.metadata,
        )
    return _whole(author, task.number)


class Note(Arguments):
    text: str = Field(min_length=1, max_length=10_000)


def task_note(context: ToolContext, arguments: Note) -> ToolOutput:
    author = author_of(context.run, AuthorKind.WORKER)
    with _refusals():
        comment = work.say(author, context.run.pk, arguments.text, key=context.key)
    return _whole(author, comment.task.number)


def bound_to_nothing(run: Run) -> frozenset[str]:
    """Return the tools that a worker without a task must not hold."""
    is_bound = "task_id" in run.input and find_bound_task(run.pk) is not None
    return frozenset() if is_bound else frozenset({"task_progress", "task_note"})


TOOLS = (
    Tool(
        name="task_list",
        description="See the tasks on the board, the most urgent first.",
        arguments=TaskList,
        function=task_list,
        kinds=LISTERS,
    ),
    Tool(
        name="task_create",
        description="Propose a task. It waits for a person's approval before anybody can start it.",
        arguments=TaskCreate,
        function=task_create,
        kinds=BRANCH,
    ),
    Tool(
        name="task_update",
        description="Change what a task says; an approved one waits for approval again then. You cannot approve, start "
        "or finish a task with this.",
        arguments=TaskUpdate,
        function=task_update,
        kinds=BRANCH,
    ),
    Tool(
        name="task_comment",
        description="Say something in a task's discussion.",
        arguments=Comment,
        function=task_comment,
        kinds=BRANCH,
    ),
    Tool(
        name="task_history",
        description="Read one task whole: its specification, revisions, comments and attempts.",
        arguments=History,
        function=task_history,
        kinds=BRANCH,
    ),
    Tool(
        name="goal_list",
        description="See the goals and how far their tasks are.",
        arguments=GoalList,
        function=goal_list,
        kinds=LISTERS,
    ),
    Tool(
        name="goal_propose",
        description="Propose a goal. People decide whether it becomes one, and how far you may go for it.",
        arguments=GoalPropose,
        function=goal_propose,
        kinds=BRANCH,
    ),
    Tool(
        name="goal_note",
        description="Replace the notes of a goal with where it stands.",
        arguments=GoalNote,
        function=goal_note,
        kinds=BRANCH,
    ),
    Tool(
        name="task_progress",
        description="Tick subtasks of your task, and keep metadata with it.",
        arguments=Progress,
        function=task_progress,
        kinds=WORKER,
    ),
    Tool(
        name="task_note",
        description="Say something in the discussion of your task, such as a question or a finding.",
        arguments=Note,
        function=task_note,
        kinds=WORKER,
    ),
)
