"""Links between agents, and between people and agents, over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from agents.links import queries, services
from agents.models import AgentLink

router = Router(tags=["agents"])
Kind = Literal["hierarchy", "peer"]


class LinkOut(Schema):
    id: int
    first_agent_id: int | None
    first_user_id: int | None
    second_agent_id: int
    kind: str
    two_way: bool


class LinkIn(Strict):
    second_agent_id: Id
    first_agent_id: Id | None = None
    first_user_id: Id | None = None
    kind: Kind = "hierarchy"
    two_way: bool = False


class LinkPatch(Strict):
    kind: Kind | None = None
    two_way: bool | None = None


@router.get("/agent-links", response=Page[LinkOut], auth=Needs("agents:read"))
def list_links(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    """Who leads or works with whom."""
    rows = queries.list_links(actor_of(request)).filter(pk__gt=read_cursor(cursor) or 0)
    return page(rows[: limit + 1], limit=limit, payload=lambda row: row, cursor=lambda row: row.pk)


@router.post("/agent-links", response={201: LinkOut}, auth=Needs("agents:write"))
def create_link(request: HttpRequest, body: LinkIn) -> Status[AgentLink]:
    """Let an agent or a person hand work to an agent."""
    return Status(201, services.create_link(actor_of(request), **body.dict()))


@router.patch("/agent-links/{link_id}", response=LinkOut, auth=Needs("agents:write"))
def change_link(request: HttpRequest, link_id: Id, body: LinkPatch) -> AgentLink:
    """Change a link's kind or direction."""
    return services.change_link(actor_of(request), link_id, kind=body.kind, two_way=body.two_way)


@router.delete("/agent-links/{link_id}", response={204: None}, auth=Needs("agents:write"))
def remove_link(request: HttpRequest, link_id: Id) -> Status[None]:
    """End a link: no work goes along it from now on."""
    services.remove_link(actor_of(request), link_id)
    return Status(204, None)
