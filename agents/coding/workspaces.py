"""Paths as people know them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath


def relative(path: str, workspace: Path) -> str:
    """Return a path inside the workspace without the way there, any other as it is."""
    pure = PurePosixPath(path)
    return str(pure.relative_to(workspace)) if pure.is_relative_to(workspace) else path
