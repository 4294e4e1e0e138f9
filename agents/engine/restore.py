"""Rebuilding a run's transcript from its steps, for a run that waited or whose executor was lost."""

from __future__ import annotations

from agents.engine.codec import decode
from agents.loop import Transcript
from agents.models import CallState, Run, Step
from agents.processes.base import Joined, Process
from llm.types import AssistantMessage, ToolResult


def restore(run: Run, process: Process) -> tuple[Transcript, Step | None]:
    """Return the transcript, and the last step if calls of it are still open.

    An open step's results are not in the transcript yet: the journal finishes its calls and adds them.
    """
    transcript = Transcript()
    open_states = {CallState.RUNNING, *([CallState.WAITING] if process.waits_for_people else [])}
    steps = list(Step.objects.filter(run_id=run.pk).order_by("number").prefetch_related("tool_calls"))
    open_step: Step | None = None
    for step in steps:
        process.spend(step.cost_usd)
        transcript.join([decode(form) for form in step.added if form["role"] != "joined"])
        for form in step.added:
            if form["role"] == "joined":
                process.resume(
                    Joined(
                        seq=form["seq"], report_ids=tuple(form["reports"]), input_ids=tuple(form["inputs"])
                    )
                )
        message = decode(step.response)
        assert isinstance(message, AssistantMessage)
        transcript.messages.append(message)
        transcript.steps = step.number + 1
        calls = list(step.tool_calls.all())
        if any(call.state in open_states for call in calls):
            open_step = step
            continue
        transcript.messages.extend(
            ToolResult(call.call_id, call.name, call.result, is_error=call.state != CallState.SUCCEEDED)
            for call in calls
        )
    return transcript, open_step
