"""What a cortex job is, and which there are.

A job does one bounded pass and says what came of it. It may be repeated, or die anywhere: what it writes follows from what
it finds, never from having run. Adding one: a function, and a line in the table of `agents/cortex/table.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agents.models import Agent


@dataclass(frozen=True)
class Work:
    """One claimed pass. `fence` is the claim's; a write that must not come from a stale pass asks for it."""

    job_id: int
    name: str
    agent: Agent
    cursor: dict[str, Any]
    fence: int


@dataclass(frozen=True)
class Result:
    """What a pass came to. `text` goes to the log; empty when nothing happened, so that idling leaves no lines.

    `is_behind` asks for the next pass at once.
    """

    text: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    cursor: dict[str, Any] | None = None
    is_behind: bool = False


@dataclass(frozen=True)
class Job:
    """`every` is the time between passes, `lease` what a pass may take before another may take it over."""

    name: str
    label: str
    does: str
    every: timedelta
    lease: timedelta
    run: Callable[[Work], Result]
