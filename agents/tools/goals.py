"""Goals in agents' hands: they list, propose and note; people decide, also about a change that an agent asks for."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.planning import LISTERS, PLANNERS, PriorityWord, as_json, author_of, refusals
from tasks.agents import workforce
from tasks.authors import Author
from tasks.models import GoalStatus
from tasks.payloads import goal_payload
from tasks.queries import board as queries
from tasks.services import goals
from tasks.services.goal_changes import propose_change


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
    return ToolOutput("\n".join(as_json(goal_payload(goal, progress[goal.pk], names)) for goal in rows))


class GoalPropose(Arguments):
    title: str = Field(min_length=1, max_length=200)
    description: str = Field(min_length=1, max_length=20_000, description="With the success criteria.")
    priority: PriorityWord = "medium"
    due_on: str | None = Field(default=None, description="YYYY-MM-DD")
    parent_id: int | None = None


def goal_propose(context: ToolContext, arguments: GoalPropose) -> ToolOutput:
    author = author_of(context.run)
    with refusals():
        goal = goals.create_goal(author, **arguments.model_dump(exclude_none=True))
    return _goal(author, goal.pk)


class GoalNote(Arguments):
    goal_id: int
    notes: str = Field(max_length=10_000, description="Keep in it what still holds.")


def goal_note(context: ToolContext, arguments: GoalNote) -> ToolOutput:
    author = author_of(context.run)
    with refusals():
        goals.note_goal(author, arguments.goal_id, arguments.notes)
        return _goal(author, arguments.goal_id)


def _goal(author: Author, goal_id: int) -> ToolOutput:
    goal = queries.find_goal(author, goal_id)
    names = workforce().names(author.organization_id)
    return ToolOutput(as_json(goal_payload(goal, queries.progress_of(author, [goal_id])[goal_id], names)))


class GoalChange(Arguments):
    goal_id: int
    why: str = Field(min_length=1, max_length=2_000)
    title: str | None = None
    description: str | None = None
    priority: PriorityWord | None = None
    due_on: date | None = None
    authority: Literal["propose", "prepare", "execute"] | None = None
    status: Literal["active", "paused", "completed", "abandoned"] | None = None


def goal_change(context: ToolContext, arguments: GoalChange) -> ToolOutput:
    values = arguments.model_dump(exclude_none=True)
    goal_id, why = values.pop("goal_id"), values.pop("why")
    with refusals():
        approval = propose_change(author_of(context.run), goal_id, why=why, key=context.key, **values)
    return ToolOutput(
        f"Proposed as approval {approval.pk}. The goal is as it was until a person has agreed; none of your tools can."
    )


TOOLS = (
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
        kinds=PLANNERS,
    ),
    Tool(
        name="goal_note",
        description="Replace the notes of a goal with where it stands.",
        arguments=GoalNote,
        function=goal_note,
        kinds=PLANNERS,
    ),
    Tool(
        name="goal_change",
        description="Propose a change of a goal, such as completing it. People decide.",
        arguments=GoalChange,
        function=goal_change,
        kinds=frozenset({"branch"}),
    ),
)
