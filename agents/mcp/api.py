"""MCP servers and their tools over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from agents.mcp import queries, services
from agents.models import McpServer, McpTool

router = Router(tags=["mcp"])

Name = Annotated[str, Field(max_length=24)]
Command = Annotated[str, Field(max_length=500)]
Address = Annotated[str, Field(max_length=1_000)]
Seconds = Annotated[int, Field(ge=1, le=600)]
Digest = Annotated[str, Field(max_length=64)]
Kinds = list[Literal["worker", "branch", "colleague"]]


class ServerOut(Schema):
    """`state` is new, connected, failed or sign_in. Values of `env` and `headers` are references where they are secret."""

    id: int
    name: str
    agent_id: int | None
    transport: str
    command: str
    args: list[str]
    env: dict[str, str]
    url: str
    headers: dict[str, str]
    oauth: bool
    kinds: list[str]
    timeout_s: int
    enabled: bool
    state: str
    last_error: str
    server_info: str
    connected_at: datetime | None
    offered: int
    waiting: int


class ServerIn(Strict):
    """`transport` stdio takes `command`, `args` and `env`; http takes `url`, `headers` and `oauth`."""

    name: Name
    transport: Literal["stdio", "http"]
    agent_id: Id | None = None
    command: Command = ""
    args: list[str] = []
    env: dict[str, str] = {}
    url: Address = ""
    headers: dict[str, str] = {}
    oauth: bool = False
    kinds: Kinds = ["worker"]
    timeout_s: Seconds = 60
    enabled: bool = True


class ServerPatch(Strict):
    agent_id: Id | None = None
    command: Command | None = None
    args: list[str] | None = None
    env: dict[str, str] | None = None
    url: Address | None = None
    headers: dict[str, str] | None = None
    oauth: bool | None = None
    kinds: Kinds | None = None
    timeout_s: Seconds | None = None
    enabled: bool | None = None


class McpToolOut(Schema):
    """`offered` while it is listed, has no `problem`, and `digest` is what was approved; `waits` for an administrator."""

    id: int
    name: str = Field(alias="local_name")
    remote_name: str
    description: str
    input_schema: dict[str, Any]
    reads_only: bool
    digest: str
    listed: bool
    problem: str
    offered: bool = Field(alias="is_offered")
    waits: bool
    approved: dict[str, Any]
    approved_at: datetime | None


class McpApproveIn(Strict):
    """The digest of what was read: something else by now is a conflict."""

    digest: Digest


class ApproveSeveralIn(Strict):
    """Digests by the tool's id."""

    digests: Annotated[dict[Id, Digest], Field(max_length=200)]


class ApprovedOut(Schema):
    approved: int


@router.get("/mcp/servers", response=Page[ServerOut], auth=Needs("mcp:read"))
def list_servers(request: HttpRequest) -> dict[str, Any]:
    """All servers of the organization, by name."""
    return {"items": list(queries.list_servers(actor_of(request))), "next": None}


@router.post("/mcp/servers", response={201: ServerOut}, auth=Needs("mcp:write"))
def create_server(request: HttpRequest, body: ServerIn) -> Status[McpServer]:
    """Add a server. It is looked at at once; its tools are offered when they are approved."""
    actor = actor_of(request)
    server = services.create_server(actor, **body.dict())
    return Status(201, queries.get_server(actor, server.pk))


@router.get("/mcp/servers/{server_id}", response=ServerOut, auth=Needs("mcp:read"))
def get_server(request: HttpRequest, server_id: Id) -> McpServer:
    return queries.get_server(actor_of(request), server_id)


@router.patch("/mcp/servers/{server_id}", response=ServerOut, auth=Needs("mcp:write"))
def change_server(request: HttpRequest, server_id: Id, body: ServerPatch) -> McpServer:
    """Change what is sent. Another program or address needs its tools approved again."""
    actor, sent = actor_of(request), body.dict(exclude_unset=True)
    wanted = {name: value for name, value in sent.items() if value is not None or name == "agent_id"}
    services.update_server(actor, server_id, **wanted)
    return queries.get_server(actor, server_id)


@router.delete("/mcp/servers/{server_id}", response={204: None}, auth=Needs("mcp:write"))
def delete_server(request: HttpRequest, server_id: Id) -> Status[None]:
    """Remove a server, its tools, and what was allowed to them."""
    services.delete_server(actor_of(request), server_id)
    return Status(204, None)


@router.post("/mcp/servers/{server_id}/look", response={202: None}, auth=Needs("mcp:write"))
def look_again(request: HttpRequest, server_id: Id) -> Status[None]:
    """Try the server now; its state shows what came of it, and so does the event `mcp.changed`."""
    services.look_again(actor_of(request), server_id)
    return Status(202, None)


@router.get("/mcp/servers/{server_id}/tools", response=Page[McpToolOut], auth=Needs("mcp:read"))
def list_tools(request: HttpRequest, server_id: Id) -> dict[str, Any]:
    """What the server lists, what waits first."""
    actor = actor_of(request)
    return {"items": queries.list_tools(actor, queries.get_server(actor, server_id)), "next": None}


@router.post("/mcp/servers/{server_id}/approve", response=ApprovedOut, auth=Needs("mcp:write"))
def approve_several(request: HttpRequest, server_id: Id, body: ApproveSeveralIn) -> dict[str, int]:
    """Approve those tools that still say what was read."""
    return {"approved": services.approve_all(actor_of(request), server_id, digests=body.digests)}


@router.post("/mcp/tools/{tool_id}/approve", response=McpToolOut, auth=Needs("mcp:write"))
def approve_tool(request: HttpRequest, tool_id: Id, body: McpApproveIn) -> McpTool:
    return services.approve_tool(actor_of(request), tool_id, digest=body.digest)


@router.post("/mcp/tools/{tool_id}/withdraw", response=McpToolOut, auth=Needs("mcp:write"))
def withdraw_tool(request: HttpRequest, tool_id: Id) -> McpTool:
    """Take the approval back: the tool is not offered from now on."""
    return services.withdraw_tool(actor_of(request), tool_id)
