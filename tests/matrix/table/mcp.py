"""MCP servers and their tools are for administrators."""

from __future__ import annotations

from typing import Any

from agents.models import McpServer, McpTool
from tests.matrix.table.rules import ADMIN, SEEN, Act, Operation, Page, Rows, form, gone, list_of, ours, read
from tests.matrix.world import World

_SERVER = "/mcp/servers/{server_id}"
PAGE, NEW, EDIT = "settings/mcp/<int:server_id>/", "settings/mcp/new/", "settings/mcp/<int:server_id>/edit/"
DIGEST = "1" * 64


def _new(world: World) -> dict[str, Any]:
    return {"name": "another", "transport": "http", "url": "https://mcp.example/mcp"}


API: dict[str, Operation] = {
    "GET /mcp/servers": list_of("mcp:read", lowest=ADMIN),
    "POST /mcp/servers": Operation("mcp:write", 201, ADMIN, stranger=201, body=_new),
    f"GET {_SERVER}": read("mcp:read", lowest=ADMIN),
    f"PATCH {_SERVER}": Operation("mcp:write", 200, ADMIN, body=lambda world: {"timeout_s": 5}),
    f"DELETE {_SERVER}": Operation("mcp:write", 204, ADMIN),
    f"POST {_SERVER}/look": Operation("mcp:write", 202, ADMIN),
    f"GET {_SERVER}/tools": read("mcp:read", lowest=ADMIN),
    f"POST {_SERVER}/approve": Operation(
        "mcp:write", 200, ADMIN, body=lambda world: {"digests": {str(world.values["tool_id"]): DIGEST}}
    ),
    "POST /mcp/tools/{tool_id}/approve": Operation(
        "mcp:write", 200, ADMIN, body=lambda world: {"digest": DIGEST}
    ),
    "POST /mcp/tools/{tool_id}/withdraw": Operation("mcp:write", 200, ADMIN),
}
PAGES: dict[str, Page] = {
    "settings/mcp/": Page(lowest=ADMIN),
    NEW: Page(lowest=ADMIN, acts=True),
    "settings/mcp/callback/": Page(302, lowest=ADMIN),
    PAGE: Page(lowest=ADMIN, ours=True, acts=True),
    EDIT: Page(lowest=ADMIN, ours=True, acts=True),
}
ACTS = [
    Act(
        NEW, "add", form(name="another", transport="stdio", command="/usr/bin/true", kinds="worker", timeout_s="60"),
        ours(McpServer, name="another"),
    ),
    Act(
        EDIT, "edit", form(command="/usr/bin/false", kinds="worker", timeout_s="7"),
        ours(McpServer, pk="{server_id}", timeout_s=7),
    ),
    Act(PAGE, "look", form(act="look"), ours(McpServer, pk="{server_id}", next_look_at__isnull=False)),
    Act(PAGE, "switch", form(act="switch", enabled="0"), ours(McpServer, pk="{server_id}", enabled=False)),
    Act(
        PAGE, "approve", form(act="approve", tool="{tool_id}", digest=DIGEST),
        ours(McpTool, pk="{tool_id}", approved_digest=DIGEST),
    ),
    Act(
        PAGE, "approve all", form(act="approve_all", tool="{tool_id}", digest=DIGEST),
        ours(McpTool, pk="{tool_id}", approved_digest=DIGEST),
    ),
    Act(
        PAGE, "withdraw", form(act="withdraw", tool="{withdrawn_id}"),
        ours(McpTool, pk="{withdrawn_id}", approved_digest=""),
    ),
    Act(PAGE, "delete", form(act="delete"), gone(McpServer, pk="{server_id}")),
]  # fmt: skip
ADMIN_ROWS: dict[str, Rows] = {"agents.McpServer": SEEN, "agents.McpTool": SEEN}
