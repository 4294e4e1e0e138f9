"""Every tool, and who may hold it."""

from __future__ import annotations

from functools import cache

from agents.tools import conclude, delegate, files, history, job, keep, outcome, remember, schedule, speak
from agents.tools.base import Tool

TOOLS: tuple[Tool, ...] = (
    *speak.TOOLS,
    *job.TOOLS,
    *delegate.TOOLS,
    *history.TOOLS,
    *schedule.TOOLS,
    *conclude.TOOLS,
    *remember.TOOLS,
    *keep.TOOLS,
    *files.TOOLS,
    *outcome.TOOLS,
)


@cache
def tools_for(kind: str, without: frozenset[str] = frozenset()) -> dict[str, Tool]:
    """Return the tools a kind of process may hold, by name, in a stable order."""
    return {tool.name: tool for tool in TOOLS if kind in tool.kinds and tool.name not in without}
