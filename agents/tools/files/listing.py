"""Listing a folder, or all that lies below it."""

from __future__ import annotations

from pydantic import Field

from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files.reading import READERS
from agents.tools.files.walk import Allowance, Entry, walk
from agents.tools.workspace import is_plain, open_folder, split

MOST_SHOWN = 500
MOST_ENTRIES = 20_000
LOOK_S = 10.0
NOT_ENTERED = frozenset({".git", "node_modules", "__pycache__", ".venv"})
"""Folders that a recursive look tells of and does not open; they can be listed by themselves."""


class ListFiles(Arguments):
    path: str = Field(default=".", max_length=1_000)
    recursive: bool = Field(default=False, description="Also list what is in its folders.")


def list_files(context: ToolContext, arguments: ListFiles) -> ToolOutput:
    allowance = Allowance(context, most_s=LOOK_S, most_entries=MOST_ENTRIES)
    deepest = 32 if arguments.recursive else 0
    shown: list[str] = []
    more = 0
    with open_folder(context.workspace, split(arguments.path)) as handle:
        for entry in walk(handle, allowance, deepest=deepest, skipped=NOT_ENTERED):
            if len(shown) < MOST_SHOWN:
                shown.append(_describe(entry, arguments.recursive))
            else:
                more += 1
    if more or allowance.is_spent:
        at_least = "at least " if allowance.is_spent else ""
        shown.append(f"[{at_least}{more} more]")
    return ToolOutput("\n".join(shown) or "[empty]")


def _describe(entry: Entry, recursive: bool) -> str:
    name = str(entry.path).encode(errors="replace").decode()
    if entry.is_folder:
        note = " (not looked into)" if recursive and entry.path.name in NOT_ENTERED else ""
        return f"{name}/{note}"
    if entry.is_link:
        return f"{name} (link, not followed)"
    size = f"{entry.status.st_size:,} bytes"
    return f"{name} ({size})" if is_plain(entry.status) else f"{name} ({size}, cannot be opened)"


TOOLS = (
    Tool(
        name="list_files",
        description="List a folder of your workspace, or all that lies below it.",
        arguments=ListFiles,
        function=list_files,
        kinds=READERS,
        transactional=False,
        repeatable=True,
    ),
)
