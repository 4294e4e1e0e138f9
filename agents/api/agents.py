"""Agents over HTTP."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from agents import presets, queries
from agents.payloads import agent_payload
from agents.services import agents as services

router = Router(tags=["agents"])


class AgentOut(Schema):
    id: int
    slug: str
    name: str
    tagline: str
    preset: str
    soul: str
    identity: str
    role: str
    enabled: bool


class AgentIn(Strict):
    name: str
    slug: str | None = None
    preset: str = presets.DEFAULT


class AgentPatch(Strict):
    name: str | None = None
    tagline: str | None = None
    soul: str | None = None
    identity: str | None = None
    role: str | None = None
    enabled: bool | None = None
    settings: dict[str, Any] | None = None


@router.get("/agents", response=Page[AgentOut], auth=Needs("agents:read"))
def list_agents(request: HttpRequest, cursor: str | None = None, limit: Limit = 50) -> dict[str, Any]:
    rows = queries.list_agents(actor_of(request)).filter(pk__gt=read_cursor(cursor) or 0).order_by("pk")
    return page(rows[: limit + 1], limit=limit, payload=agent_payload, cursor=lambda row: row.pk)


@router.post("/agents", response={201: AgentOut}, auth=Needs("agents:write"))
def create_agent(request: HttpRequest, body: AgentIn) -> Status[Any]:
    made = services.create_agent(actor_of(request), name=body.name, slug=body.slug, preset=body.preset)
    return Status(201, agent_payload(made))


@router.get("/agents/{agent_id}", response=AgentOut, auth=Needs("agents:read"))
def get_agent(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    return agent_payload(queries.get_agent(actor_of(request), agent_id))


@router.patch("/agents/{agent_id}", response=AgentOut, auth=Needs("agents:write"))
def update_agent(request: HttpRequest, agent_id: Id, body: AgentPatch) -> dict[str, Any]:
    changes = body.dict(exclude_none=True)
    return agent_payload(services.update_agent(actor_of(request), agent_id, **changes))
