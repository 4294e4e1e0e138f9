"""A tool that was withdrawn while one of its calls waited for a person. The verdict is still taken up; nothing runs."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from agents.errors import ToolFailed
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput


class AnyArguments(Arguments):
    model_config = ConfigDict(extra="allow")


def _refuse(context: ToolContext, arguments: Any) -> ToolOutput:
    raise ToolFailed("this tool is not offered any more")


def gone(name: str) -> Tool:
    """Return a stand-in that asks as before and refuses to run."""
    return Tool(
        name=name,
        description="Not offered any more.",
        arguments=AnyArguments,
        function=_refuse,
        kinds=frozenset(),
        transactional=False,
        policy="ask",
    )
