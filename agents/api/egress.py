"""Where agents may go, over HTTP: lists of hosts, exceptions for private ones, and what was refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from agents.models import EgressRule
from agents.services import egress as services

router = Router(tags=["tools"])


class EgressRuleOut(Schema):
    """`port` 0 stands for the ports of the web. Without `agent_id` it holds for every agent without a list of its own."""

    id: int
    kind: str
    host: str
    port: int
    agent_id: int | None
    created_at: datetime


class EgressRuleIn(Strict):
    """`allow` narrows the public hosts to those named; `private` opens one host that need not be public, with its port."""

    kind: Literal["allow", "private"]
    host: str
    agent_id: Id | None = None


class EgressRefusalOut(Schema):
    run_id: int
    host: str
    port: int
    reason: str
    count: int
    last_at: datetime


@router.get("/egress/rules", response=Page[EgressRuleOut], auth=Needs("agents:read"))
def list_rules(request: HttpRequest, agent_id: Id | None = None) -> dict[str, Any]:
    return {"items": list(services.list_rules(actor_of(request), agent_id=agent_id)), "next": None}


@router.post("/egress/rules", response={201: EgressRuleOut}, auth=Needs("agents:write"))
def add_rule(request: HttpRequest, body: EgressRuleIn) -> Status[EgressRule]:
    return Status(
        201,
        services.add_rule(actor_of(request), kind=body.kind, host=body.host, agent_id=body.agent_id),
    )


@router.delete("/egress/rules/{egress_rule_id}", response={204: None}, auth=Needs("agents:write"))
def delete_rule(request: HttpRequest, egress_rule_id: Id) -> Status[None]:
    services.delete_rule(actor_of(request), egress_rule_id)
    return Status(204, None)


@router.get("/egress/refusals", response=Page[EgressRefusalOut], auth=Needs("agents:read"))
def list_refusals(request: HttpRequest) -> dict[str, Any]:
    return {"items": list(services.list_refusals(actor_of(request))), "next": None}
