"""The calls of a coding agent, each under the name of the tool of ours whose policy holds for it.

What they are given is what the coding agent wants to do; what they do is to let it, and to read what came of it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from pydantic import Field

from accounts.database import release_connection
from agents.errors import ToolRetry
from agents.tools import ask
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.registry import TOOLS as REGISTERED

if TYPE_CHECKING:
    from agents.processes.coder import Coder

CODER = frozenset({"worker"})


class Command(Arguments):
    command: str = Field(description="A line for the shell.")
    folder: str = Field(description="Where it runs; empty for the workspace.")


class Change(Arguments):
    path: str
    change: str = Field(description="As a unified diff.")


class Path(Arguments):
    path: str


class Search(Arguments):
    path: str
    pattern: str


class Address(Arguments):
    url: str


class Query(Arguments):
    query: str


def let(tool: str, context: ToolContext, arguments: Arguments) -> ToolOutput:
    """Let the coding agent make the call, and wait for its end."""
    release_connection()
    coder = cast("Coder", context.process)
    end = coder.conversation.perform(tool, arguments.model_dump(), context.key, context.cancel)
    if end.has_failed:
        raise ToolRetry(end.text)
    return ToolOutput(end.text)


def _stand_in(name: str, description: str, arguments: type[Arguments]) -> Tool:
    """Return the tool; what holds where no policy is set is what holds for the tool of ours that has its name."""
    usual = next(tool for tool in REGISTERED if tool.name == name and "worker" in tool.kinds)
    return Tool(
        name=name,
        description=description,
        arguments=arguments,
        function=partial(let, name),
        kinds=CODER,
        transactional=False,
        polling=True,
        policy=usual.policy,
    )


TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        _stand_in("shell", "The coding agent runs a command.", Command),
        _stand_in("write_file", "The coding agent writes or changes a file.", Change),
        _stand_in("read_file", "The coding agent reads a file.", Path),
        _stand_in("list_files", "The coding agent looks for files.", Search),
        _stand_in("search_files", "The coding agent searches files.", Search),
        _stand_in("web_fetch", "The coding agent reads a page.", Address),
        _stand_in("web_search", "The coding agent searches the web.", Query),
        *(tool for tool in ask.TOOLS if "worker" in tool.kinds),
    )
}
