"""Reading servers and their tools. Administrators do; everybody sees the tools themselves among all others."""

from __future__ import annotations

from django.db.models import Count, F, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from agents.models import McpServer, McpTool

USABLE = Q(tools__listed=True, tools__problem="")
APPROVED = Q(tools__digest=F("tools__approved_digest"))


def list_servers(actor: Actor) -> QuerySet[McpServer]:
    """Return the organization's servers by name, with how many tools are `offered` and how many `waiting`."""
    actor.check_scope("mcp:read")
    return (
        McpServer.objects.filter(organization=actor.organization)
        .select_related("agent")
        .annotate(
            offered=Count("tools", filter=USABLE & APPROVED),
            waiting=Count("tools", filter=USABLE & ~APPROVED),
        )
        .order_by("name")
    )


def get_server(actor: Actor, server_id: int) -> McpServer:
    server = list_servers(actor).filter(pk=server_id).first()
    if server is None:
        raise NotFound("There is no such server.")
    return server


def list_tools(actor: Actor, server: McpServer) -> list[McpTool]:
    """Return a server's tools: what waits first, then by name; what it lists no more at the end."""
    rows = McpTool.objects.filter(organization=actor.organization, server=server).select_related(
        "approved_by"
    )
    return sorted(rows, key=lambda row: (not row.listed, not row.waits, row.local_name))


def get_tool(actor: Actor, tool_id: int) -> McpTool:
    actor.check_scope("mcp:read")
    row = McpTool.objects.filter(organization=actor.organization, pk=tool_id).select_related("server").first()
    if row is None:
        raise NotFound("There is no such tool.")
    return row
