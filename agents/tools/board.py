"""The board in agents' hands. What software proposes waits for a person; no argument of any tool here gets round that.

A branch sees what everyone may see and what came out of its own conversation. A worker holds the one task it is bound
to. Every tool answers with the row as it now is, as JSON, so that no text in it can pass for a line of ours.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.autonomy.levels import check_change
from agents.errors import ToolRetry
from agents.models import Run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.planning import LISTERS, PLANNERS, PriorityWord, as_json, author_of, refusals
from tasks.agents import workforce
from tasks.authors import Author
from tasks.models import TaskComment, TaskRevision, TaskState
from tasks.payloads import author_name, comment_payload, task_facts
from tasks.queries import board as queries
from tasks.services import board, comments, moves
from tasks.snapshots import Holder, differences, snapshot

OMITTED = frozenset(
    {"description", "subtasks", "skills", "workspace", "worker_type", "decision_note", "created_at"}
)


def whole(author: Author, number: int) -> ToolOutput:
    names = workforce().names(author.organization_id)
    return ToolOutput(as_json(task_facts(queries.find_task(author, number), names)))


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
        lines.append(as_json(facts))
    more = "\nThere are more; narrow it down." if len(rows) > arguments.limit else ""
    return ToolOutput("\n".join(lines) + more if lines else "There are no such tasks.")


class TaskCreate(Arguments):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(
        default="",
        max_length=50_000,
        description="The specification in Markdown: what, why, and how to tell that it is done.",
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
    with refusals():
        task = board.create_task(author, assignee=_holder(context.run, arguments.assignee), **values)
    return whole(author, task.number)


class TaskUpdate(Arguments):
    number: int
    expected_revision: int | None = Field(default=None, description="The one you have read.")
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
        description="Take a ready task back; summary says why.",
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
    with refusals():
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
        return whole(author, arguments.number)


class Comment(Arguments):
    number: int
    text: str = Field(min_length=1, max_length=10_000)


def task_comment(context: ToolContext, arguments: Comment) -> ToolOutput:
    author = author_of(context.run)
    with refusals():
        comments.add_comment(author, arguments.number, arguments.text, key=context.key)
        return whole(author, arguments.number)


class History(Arguments):
    number: int
    since_revision: int | None = Field(default=None, ge=1, description="Only what changed since.")


def task_history(context: ToolContext, arguments: History) -> ToolOutput:
    author = author_of(context.run)
    names = workforce().names(author.organization_id)
    with refusals():
        task = queries.find_task(author, arguments.number)
        if arguments.since_revision is not None:
            before = queries.get_revision(author, task.number, arguments.since_revision).snapshot
            changed = [
                {"field": each.field, "before": each.before, "after": each.after}
                for each in differences(before, snapshot(task))
            ]
            return ToolOutput(as_json({"revision": task.revision, "changed": changed}))
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
    return ToolOutput(as_json(found))


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
        kinds=PLANNERS,
    ),
    Tool(
        name="task_update",
        description="Change what a task says; an approved one then waits for approval again. This cannot approve, "
        "start or finish a task.",
        arguments=TaskUpdate,
        function=task_update,
        kinds=PLANNERS,
    ),
    Tool(
        name="task_comment",
        description="Say something in a task's discussion.",
        arguments=Comment,
        function=task_comment,
        kinds=PLANNERS,
    ),
    Tool(
        name="task_history",
        description="Read one task whole: its specification, revisions, comments and attempts.",
        arguments=History,
        function=task_history,
        kinds=PLANNERS,
    ),
)
