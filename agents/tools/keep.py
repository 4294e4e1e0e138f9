"""How memory keeping ends: it must name exactly what it saved."""

from __future__ import annotations

from pydantic import Field

from agents.errors import ToolRetry
from agents.loop import Ending
from agents.models import RunState
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from memory.models import Memory


class FinishKeeping(Arguments):
    memory_ids: list[int] = Field(
        default_factory=list, description="The memories saved in this run, each once.", max_length=200
    )
    reason: str = Field(default="", max_length=500, description="Why nothing was saved, if so.")


def finish_keeping(context: ToolContext, arguments: FinishKeeping) -> ToolOutput:
    saved = set(Memory.objects.filter(run_id=context.run.pk).values_list("id", flat=True))
    if set(arguments.memory_ids) != saved or len(arguments.memory_ids) != len(saved):
        raise ToolRetry(
            f"You saved these memories in this run: {sorted(saved)}. Name exactly these, each once."
        )
    if not saved and len(arguments.reason.strip()) < 3:
        raise ToolRetry("Say why there was nothing to keep.")
    text = f"{len(saved)} memories kept" if saved else arguments.reason
    return ToolOutput(
        "Done.", Ending(RunState.SUCCEEDED, "done", {"text": text, "memory_ids": sorted(saved)})
    )


TOOLS = (
    Tool(
        name="finish_keeping",
        description="End keeping: name what was saved, or say why there was nothing.",
        arguments=FinishKeeping,
        function=finish_keeping,
        kinds=frozenset({"keeping"}),
        needs_member=False,
        ends_run=True,
    ),
)
