"""What agents refuse, and how a run ends early.

AgentsError
├── IllegalTransition     the state machine forbids it
├── LostLease             another executor owns the run now; nothing more may be written
├── RunStopped            cancelled or past its deadline; `reason` says which
├── ToolRetry             the model should mend its arguments and call again
└── ToolFailed            it will not work; the model should do something else
    └── ToolUnavailable   because what the tool needs does not answer; counts against the tool, not against the call
"""

from __future__ import annotations


class AgentsError(Exception):
    pass


class IllegalTransition(AgentsError):
    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"a run cannot go from {before} to {after}")
        self.before, self.after = before, after


class LostLease(AgentsError):
    pass


class RunStopped(AgentsError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ToolRetry(AgentsError):
    pass


class ToolFailed(AgentsError):
    pass


class ToolUnavailable(ToolFailed):
    pass
