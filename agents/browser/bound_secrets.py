"""The seam to secrets that may be typed into pages: the site sets who answers. Without an answer nothing is typed."""

from __future__ import annotations

from collections.abc import Callable

Find = Callable[[int, int, str, str], str | None]


def _none(organization_id: int, agent_id: int, name: str, origin: str) -> str | None:
    return None


_find: Find = _none


def set_finder(find: Find) -> None:
    """`find(organization_id, agent_id, name, origin)` returns the value of a secret bound to that origin, or None."""
    global _find
    _find = find


def find_bound_secret(organization_id: int, agent_id: int, name: str, origin: str) -> str | None:
    return _find(organization_id, agent_id, name, origin)
