"""What Claude Code asks permission for, as calls of ours. Its rules are set so that it asks for each."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from agents.coding.types import Asked
from agents.coding.workspaces import relative

TOOLS = ("Bash", "Read", "Edit")
UNKNOWN = "This is not allowed here."


def read_request(request_id: str, request: dict[str, Any], *, workspace: Path) -> Asked | None:
    """Return the call that a permission is asked for; None for one that there is no policy for."""
    given = request.get("input") or {}
    path = {"path": relative(str(given.get("file_path") or ""), workspace)}
    match request.get("tool_name"):
        case "Bash":
            return Asked(request_id, "shell", {"command": str(given.get("command") or ""), "folder": ""})
        case "Read":
            return Asked(request_id, "read_file", path)
        case "Edit":
            return Asked(request_id, "write_file", {**path, "change": _change(given)})
    return None


def _change(given: dict[str, Any]) -> str:
    """Return an edit as a diff of the words it replaces, with all of them."""
    old, new = (str(given.get(name) or "").split("\n") for name in ("old_string", "new_string"))
    lines = list(difflib.unified_diff(old, new, lineterm="", n=len(old) + len(new)))[2:]
    everywhere = ["(wherever it occurs)"] if given.get("replace_all") else []
    return "\n".join([*everywhere, *lines])
