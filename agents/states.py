"""The state machine of a run. Every change of state asks `check_transition`; the database has a copy of none of it."""

from __future__ import annotations

from agents.errors import IllegalTransition
from agents.models import TERMINAL_STATES, RunState

S = RunState

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    S.QUEUED: frozenset({S.RUNNING, S.CANCELLED, S.TIMED_OUT, S.FAILED}),
    S.RUNNING: frozenset({S.RUNNING, S.QUEUED, S.WAITING, *TERMINAL_STATES}),
    S.WAITING: frozenset({S.QUEUED, S.CANCELLED, S.TIMED_OUT, S.SUCCEEDED, S.FAILED}),
    **{state: frozenset() for state in TERMINAL_STATES},
}
"""RUNNING → RUNNING is recovery after a lost lease; RUNNING → QUEUED hands a run back unfinished."""


def check_transition(before: str, after: str) -> None:
    """Raise IllegalTransition unless a run may go from `before` to `after`."""
    if RunState(after) not in TRANSITIONS[RunState(before)]:
        raise IllegalTransition(before, after)
