"""Telling those who may approve that a tool which they had approved says something else now, and waits for them."""

from __future__ import annotations

from accounts.models import Role
from agents.models import McpServer, McpTool
from realtime.models import NoticeKind
from realtime.notices.services import Subject, members_from, notify, settle

MOST_NAMED = 5


def follow(server: McpServer) -> None:
    """Tell what of a server waits now, or settle what was told; belongs into the transaction that changed it.

    Names alone are told: what the server says is read on its page, where it is approved.
    """
    rows = McpTool.objects.filter(server=server, listed=True, problem="").exclude(approved_digest="")
    names = [row.local_name for row in rows.order_by("local_name") if row.waits]
    if not names:
        settle(server.organization_id, _key(server.pk))
        return
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    notify(
        server.organization_id,
        members_from(server.organization_id, Role.ADMIN),
        kind=NoticeKind.APPROVAL,
        key=_key(server.pk),
        title=f"The server {server.name} has changed what it says of its tools",
        text=f"Not offered until they are approved anew: {', '.join(names[:MOST_NAMED])}{more}.",
        subject=Subject("mcp_server", server.pk),
    )


def forget(server: McpServer) -> None:
    """Settle what was told of a server that goes, or that begins anew."""
    settle(server.organization_id, _key(server.pk))


def _key(server_id: int) -> str:
    return f"mcp_server:{server_id}:changed"
