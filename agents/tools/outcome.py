"""How a worker shows progress and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from pydantic import Field

from agents.engine import wakeups
from agents.errors import ToolRetry
from agents.models import Run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from realtime.services import record

if TYPE_CHECKING:
    from agents.processes.worker import Worker

WORKER = frozenset({"worker"})


class SetStatus(Arguments):
    status: str = Field(description="Where you are, in a few words.", min_length=1, max_length=256)


def set_status(context: ToolContext, arguments: SetStatus) -> ToolOutput:
    context.run.status_text = " ".join(arguments.status.split())
    Run.objects.filter(pk=context.run.pk).update(status_text=context.run.status_text)
    record(context.run.organization_id, wakeups.run_changed(context.run))
    return ToolOutput("Shown.")


class SetOutcome(Arguments):
    status: Literal["done", "partial", "failed"]
    summary: str = Field(
        description="The result for the person who asked: what was done, what was found.",
        min_length=1,
        max_length=20_000,
    )


def set_outcome(context: ToolContext, arguments: SetOutcome) -> ToolOutput:
    worker = cast("Worker", context.process)
    if worker.has_new_input():
        raise ToolRetry("A follow-up has arrived. Read it before you finish.")
    return ToolOutput("Noted.", worker.outcome(arguments.status, arguments.summary))


TOOLS = (
    Tool(
        name="set_status",
        description="Show people where you are.",
        arguments=SetStatus,
        function=set_status,
        kinds=WORKER,
        polling=True,
    ),
    Tool(
        name="set_outcome",
        description="Say what came of the task. This ends the worker, or lays an interactive one to wait.",
        arguments=SetOutcome,
        function=set_outcome,
        kinds=WORKER,
        ends_run=True,
    ),
)
