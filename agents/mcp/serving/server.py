"""A server of the library for one request, holding the tools that its token may use."""

from __future__ import annotations

from typing import Any

from django.db import Error
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.logs import get_logger
from agents.mcp.serving.tools import TOOLS, Served, as_json
from messaging.errors import MessagingError
from realtime.threads import in_thread

log = get_logger(__name__)

INSTRUCTIONS = "Spacebot: agents of a team. What you create waits for a person; what you send is said in your user's name."


def manager_for(actor: Actor) -> StreamableHTTPSessionManager:
    return StreamableHTTPSessionManager(_server(actor), json_response=True, stateless=True)


def _server(actor: Actor) -> Server[Any]:
    async def list_tools(context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_described(tool) for tool in TOOLS.values() if _may(actor, tool)])

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None or not _may(actor, tool):
            raise MCPError(INVALID_PARAMS, f"There is no tool {params.name[:60]!r} for this token.")
        return await in_thread(_called, actor, tool, params.arguments or {})

    return Server(
        "spacebot", version="1", instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


def _may(actor: Actor, tool: Served) -> bool:
    try:
        actor.check_scope(tool.scope)
    except AccountsError:
        return False
    return True


def _described(tool: Served) -> Tool:
    return Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=ToolAnnotations(
            read_only_hint=tool.reads_only, destructive_hint=False, open_world_hint=False
        ),
    )


def _called(actor: Actor, tool: Served, arguments: dict[str, Any]) -> CallToolResult:
    """Call a tool; what it refuses, and what breaks, is told without our insides."""
    try:
        actor.check_scope(tool.scope)
        return _said(as_json(tool.function(actor, tool.arguments.model_validate(arguments))))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        return _said(f"The arguments are wrong: {wrong}.", is_error=True)
    except (AccountsError, MessagingError) as error:
        return _said(str(error), is_error=True)
    except (Error, ArithmeticError, LookupError, TypeError, ValueError):
        log.exception("mcp.serving_failed", tool=tool.name)
        return _said("It failed for a reason of its own; nothing more is known.", is_error=True)


def _said(text: str, *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)
