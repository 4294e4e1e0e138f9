"""A server of the newer protocol, the library's own, that gets another tool when it is asked to."""

from __future__ import annotations

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("growing")
READS = ToolAnnotations(read_only_hint=True)


def grown() -> str:
    """What was not there before."""
    return "grown"


@server.tool(annotations=READS)
async def grow(context: Context) -> str:
    """Get another tool."""
    server.add_tool(grown, annotations=READS)
    await context.notify_tools_changed()
    return "grow"


server.run()
