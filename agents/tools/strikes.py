"""Three failed calls of one tool in a row stop that tool for the run."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.models import CallState, ToolCall

MOST = 3


@dataclass
class Strikes:
    """Counts failures in a row, by tool; one success starts anew. `load` reads what earlier executions counted."""

    counts: dict[str, int] = field(default_factory=dict)

    def load(self, run_id: int) -> None:
        rows = ToolCall.objects.filter(run_id=run_id).order_by("step_id", "position")
        for name, state in rows.values_list("name", "state"):
            self.saw(name, state)

    def saw(self, name: str, state: str) -> None:
        if state == CallState.FAILED:
            self.counts[name] = self.counts.get(name, 0) + 1
        elif state == CallState.SUCCEEDED:
            self.counts.pop(name, None)

    def refusal(self, name: str) -> str:
        """Return why the tool is not called any more; empty while it may be."""
        if self.counts.get(name, 0) < MOST:
            return ""
        return f"Stopped: {name} failed {MOST} times in a row, so this run cannot use it any more. Do it another way or finish."
