"""Every tool, and who may hold it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from agents.tools import (
    ask,
    attachments,
    autonomous,
    board,
    board_work,
    browser,
    colleagues,
    conclude,
    delegate,
    files,
    goals,
    history,
    inspect_runs,
    inspect_system,
    job,
    keep,
    outcome,
    remember,
    schedule,
    shell,
    shell_background,
    speak,
    tidy,
    transcript,
    web_fetch,
    web_search,
)
from agents.tools.base import Tool

if TYPE_CHECKING:
    from agents.models import Run

TOOLS: tuple[Tool, ...] = (
    *speak.TOOLS,
    *ask.TOOLS,
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
    *shell.TOOLS,
    *shell_background.TOOLS,
    *attachments.TOOLS,
    *outcome.TOOLS,
    *inspect_system.TOOLS,
    *inspect_runs.TOOLS,
    *board.TOOLS,
    *goals.TOOLS,
    *board_work.TOOLS,
    *web_fetch.TOOLS,
    *web_search.TOOLS,
    *browser.TOOLS,
    *autonomous.TOOLS,
)


@cache
def tools_for(kind: str, without: frozenset[str] = frozenset()) -> dict[str, Tool]:
    """Return the tools a kind of process may hold, by name, in a stable order."""
    return {tool.name: tool for tool in TOOLS if kind in tool.kinds and tool.name not in without}


def lacking(run: Run) -> dict[str, str]:
    """Return the tools that a run of its kind would hold and that cannot work here, with the reasons."""
    wanting = {name: tool.need for name, tool in tools_for(run.kind).items() if tool.need}
    return {name: reason for name, need in wanting.items() if (reason := need.lacking(run))}
