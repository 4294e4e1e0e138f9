"""How a branch ends, or another agent that was asked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agents.loop import Ending
from agents.models import RunState
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput


class Conclude(Arguments):
    status: Literal["done", "partial", "failed"]
    conclusion: str = Field(description="With what it rests on.", min_length=1, max_length=20_000)


def conclude(context: ToolContext, arguments: Conclude) -> ToolOutput:
    ending = Ending(RunState.SUCCEEDED, arguments.status, {"text": arguments.conclusion})
    return ToolOutput("Concluded.", ending)


TOOLS = (
    Tool(
        name="conclude",
        description="Return your conclusion. This ends the branch.",
        arguments=Conclude,
        function=conclude,
        kinds=frozenset({"branch", "colleague"}),
        ends_run=True,
    ),
)
