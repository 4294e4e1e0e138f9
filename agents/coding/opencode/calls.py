"""What opencode asks permission for, as calls of ours. It is set up to ask for everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.coding.types import Asked
from agents.coding.workspaces import relative

FREE = frozenset({"todowrite", "todoread", "task", "skill"})
"""Its own upkeep: lists, helpers whose calls are asked for one by one, instructions."""
UNGATED = FREE | {"question", "invalid"}
"""Tools of it that may end without having been asked for."""
WEB = frozenset({"websearch", "codesearch"})
REPEATS = "You have made the same call several times. Try another way, or end and say what is missing."
OUTSIDE = "That is outside your workspace. Stay in it."
UNKNOWN = "This is not allowed here."


@dataclass(frozen=True)
class Refusal:
    reason: str


def read_permission(
    request: dict[str, Any], part: dict[str, Any], *, workspace: Path, is_contained: bool
) -> Asked | Refusal | None:
    """Return the call that a permission is asked for, None where none is needed; `part` is what is known of the call."""
    kind = request["permission"]
    given = {**request.get("metadata", {}), **part.get("state", {}).get("input", {})}
    patterns = [str(pattern) for pattern in request.get("patterns", ())]
    if kind in FREE:
        return None
    if kind == "external_directory":
        return None if is_contained else Refusal(OUTSIDE)
    if kind == "doom_loop":
        return Refusal(REPEATS)
    found = _call(kind, given, patterns, workspace)
    return Asked(request["id"], *found) if found else Refusal(UNKNOWN)


def _call(
    kind: str, given: dict[str, Any], patterns: list[str], workspace: Path
) -> tuple[str, dict[str, Any]] | None:
    def path(name: str = "path") -> str:
        return relative(str(given.get(name) or ""), workspace) or ", ".join(patterns)

    if kind == "bash":
        command = str(given.get("command") or "; ".join(patterns))
        return "shell", {"command": command, "folder": path("workdir") if given.get("workdir") else ""}
    if kind == "edit":
        return "write_file", {
            "path": path("filePath"),
            "change": str(given.get("diff") or given.get("content") or ""),
        }
    if kind == "read":
        return "read_file", {"path": path("filePath")}
    if kind in ("glob", "list"):
        return "list_files", {"path": path(), "pattern": str(given.get("pattern") or "")}
    if kind == "grep":
        return "search_files", {"path": path(), "pattern": str(given.get("pattern") or "")}
    if kind == "webfetch":
        return "web_fetch", {"url": str(given.get("url") or ", ".join(patterns))}
    if kind in WEB:
        return "web_search", {"query": str(given.get("query") or ", ".join(patterns))}
    return None


def read_question(request: dict[str, Any]) -> tuple[Asked, ...]:
    """Return the questions of one request, each with an id of its own."""
    return tuple(
        Asked(
            f"{request['id']}#{place}",
            "ask",
            {
                "question": str(each.get("question") or each.get("header") or ""),
                "options": [
                    {"label": str(option["label"]), "description": str(option.get("description") or "")}
                    for option in each.get("options", ())
                ],
                "multi_select": bool(each.get("multiple")),
            },
        )
        for place, each in enumerate(request["questions"])
    )
