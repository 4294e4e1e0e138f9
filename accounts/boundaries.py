"""Named places where a process may be killed on purpose, to show that nothing is lost there.

With `SPACEBOT_FAULT_AT` unset, the rule, `reach` does nothing. Otherwise it names a folder: a file in it called
`<process>.<boundary>`, such as `worker.step.committed`, is removed by the first process that reaches the boundary,
and that process kills itself as an operator's `kill -9` would.
"""

from __future__ import annotations

import os
import signal

FAULT_FOLDER = os.environ.get("SPACEBOT_FAULT_AT", "")
PROCESS = os.environ.get("SPACEBOT_PROCESS", "")

WEB_BOUNDARIES = ("message.stored", "nudge.before", "nudge.after")
WORKER_BOUNDARIES = (
    "run.claimed",
    "model.before",
    "model.after",
    "step.before",
    "step.stored",
    "step.committed",
    "tool.before",
    "tool.after",
    "result.stored",
    "result.committed",
    "end.before",
    "end.written",
    "end.committed",
    "nudge.before",
    "nudge.after",
)
SYNTHESIS_BOUNDARIES = ("synthesis.before", "synthesis.swapped")
APPROVAL_BOUNDARIES = ("approval.before", "approval.claimed", "approval.committed")
"""Reached by a worker where a run takes up what a person has decided."""
CLOCK_BOUNDARIES = ("schedule.decided", "schedule.committed", "nudge.before", "nudge.after")
AUTONOMY_BOUNDARIES = ("autonomy.started", "nudge.before", "nudge.after")
"""Reached by whoever starts agents by themselves."""
DELIVERY_BOUNDARIES = ("send.before", "send.after")


def _kill_if_armed(name: str) -> None:
    """Die here if this boundary is armed; removing the file makes sure that only one process does, once."""
    try:
        os.unlink(os.path.join(FAULT_FOLDER, f"{PROCESS}.{name}"))
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _pass_by(name: str) -> None:
    """Do nothing."""


reach = _kill_if_armed if FAULT_FOLDER else _pass_by
