"""What a call that changes a file would do to it, for the person who decides."""

from __future__ import annotations

import difflib
import hashlib
import os
from typing import TYPE_CHECKING

from agents.errors import ToolFailed, ToolRetry
from agents.tools.base import Preview, ToolContext
from agents.tools.workspace import open_file, open_folder, split

if TYPE_CHECKING:
    from agents.tools.files.changing import AppendFile, EditFile, WriteFile

MOST_BYTES = 2_000_000
MOST_SHOWN = 20_000
ABSENT = "absent"


def writing(context: ToolContext, arguments: WriteFile) -> Preview:
    """Show the change against the file as it is; an approval of it counts only while the file stays so."""
    before = _content(context, arguments.path)
    basis = ABSENT if before is None else hashlib.sha256(before).hexdigest()
    label = f"Write {arguments.path}" if before is None else f"Replace {arguments.path}"
    return Preview((_diff(label, arguments.path, _text(before), arguments.content),), basis)


def appending(context: ToolContext, arguments: AppendFile) -> Preview:
    label = f"Add at the end of {arguments.path}"
    return Preview((_diff(label, arguments.path, "", arguments.content),))


def editing(context: ToolContext, arguments: EditFile) -> Preview:
    return Preview((_diff(f"Change in {arguments.path}", arguments.path, arguments.old, arguments.new),))


def _content(context: ToolContext, path: str) -> bytes | None:
    """Return what the file holds now; None where there is none that could be read."""
    try:
        parts = split(path)
        if not parts or not context.workspace.exists():
            return None
        with open_folder(context.workspace, parts[:-1]) as handle:
            descriptor = open_file(handle, parts[-1], os.O_RDONLY)
            with os.fdopen(descriptor, "rb") as file:
                return file.read(MOST_BYTES + 1)
    except (ToolRetry, ToolFailed):
        return None


def _text(content: bytes | None) -> str:
    return "" if content is None else content.decode(errors="replace")


def _diff(label: str, path: str, before: str, after: str) -> dict[str, str]:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"{path} (now)", f"{path} (then)", lineterm="", n=3
    )
    text = "\n".join(lines) or "(no change)"
    if len(text) > MOST_SHOWN:
        text = f"{text[:MOST_SHOWN]}\n[cut: {len(text):,} characters in all; the exact action below is whole]"
    return {"label": label, "form": "diff", "text": text}
