"""How a branch asks people for a change of a goal; nothing changes until one of them has agreed."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from accounts.errors import AccountsError
from agents.errors import ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.board import author_of
from tasks.services.goal_changes import propose_change


class GoalChange(Arguments):
    goal_id: int
    why: str = Field(min_length=1, max_length=2_000)
    title: str | None = None
    description: str | None = None
    priority: Literal["critical", "high", "medium", "low"] | None = None
    due_on: date | None = None
    authority: Literal["propose", "prepare", "execute"] | None = None
    status: Literal["active", "paused", "completed", "abandoned"] | None = None


def goal_change(context: ToolContext, arguments: GoalChange) -> ToolOutput:
    values = arguments.model_dump(exclude_none=True)
    goal_id, why = values.pop("goal_id"), values.pop("why")
    try:
        approval = propose_change(author_of(context.run), goal_id, why=why, key=context.key, **values)
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    return ToolOutput(
        f"Proposed as approval {approval.pk}. The goal is as it was until a person has agreed; none of your tools can."
    )


TOOLS = (
    Tool(
        name="goal_change",
        description="Propose a change of a goal, such as completing it. People decide.",
        arguments=GoalChange,
        function=goal_change,
        kinds=frozenset({"branch"}),
    ),
)
