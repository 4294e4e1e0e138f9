"""What the library gives and takes, in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.errors import AccountsError
from agents.egress.errors import EgressError
from agents.mcp.listing import Listed
from agents.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from mcp.client.client import Client

MOST_PAGES = 20
OVER = ("Session terminated", "Session not found")
"""How the library and servers call the end of a session over HTTP."""


async def list_tools(client: Client) -> list[Listed]:
    """Return what a server lists, page by page; none where it has no tools."""
    found: list[Listed] = []
    cursor: str | None = None
    capabilities = client.session.server_capabilities
    for _ in range(MOST_PAGES if capabilities is None or capabilities.tools else 0):
        page = await client.list_tools(cursor=cursor)
        found += [_listed(tool) for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def name_of(client: Client) -> str:
    info = client.session.server_info
    return f"{info.name} {info.version}".strip() if info else ""


def who_we_are() -> Any:
    from mcp_types import Implementation

    return Implementation(name="spacebot", version="1")


def is_end(error: Exception) -> bool:
    """Say whether an error means that the session is gone, and not that a call failed."""
    from mcp_types import CONNECTION_CLOSED

    return getattr(error, "code", None) == CONNECTION_CLOSED or str(error) in OVER


def explain(error: BaseException) -> str:
    """Return what went wrong, for administrators; of a group of errors the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "It did not answer in time."
    if isinstance(error, (AccountsError, EgressError, SandboxError)):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _listed(tool: Any) -> Listed:
    annotations = tool.annotations.model_dump(by_alias=True, exclude_none=True) if tool.annotations else {}
    return Listed(tool.name, tool.description or tool.title or "", tool.input_schema, annotations)
