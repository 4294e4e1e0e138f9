"""Every tool, and who may hold it."""

from __future__ import annotations

from functools import cache

from agents.tools import (
    autonomous,
    board,
    colleagues,
    conclude,
    delegate,
    files,
    history,
    inspect_runs,
    inspect_system,
    job,
    keep,
    outcome,
    remember,
    schedule,
    speak,
    tidy,
    transcript,
)
from agents.tools.base import Tool

TOOLS: tuple[Tool, ...] = (
    *speak.TOOLS,
    *job.TOOLS,
    *delegate.TOOLS,
    *colleagues.TOOLS,
    *history.TOOLS,
    *schedule.TOOLS,
    *conclude.TOOLS,
    *remember.TOOLS,
    *transcript.TOOLS,
    *tidy.TOOLS,
    *keep.TOOLS,
    *files.TOOLS,
    *outcome.TOOLS,
    *inspect_system.TOOLS,
    *inspect_runs.TOOLS,
    *board.TOOLS,
    *autonomous.TOOLS,
)


@cache
def tools_for(kind: str, without: frozenset[str] = frozenset()) -> dict[str, Tool]:
    """Return the tools a kind of process may hold, by name, in a stable order."""
    return {tool.name: tool for tool in TOOLS if kind in tool.kinds and tool.name not in without}
