"""Tools and their policies over HTTP."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from agents.services import policies as services

router = Router(tags=["tools"])


class ToolOut(Schema):
    """`organization` and `agent` are empty where nothing is set; `effective` is what holds."""

    name: str
    description: str
    kinds: list[str]
    default: str
    organization: str
    agent: str
    effective: str


class PolicyIn(Strict):
    """null goes back to what holds without it. Without `agent_id` it is the whole organization's."""

    policy: Literal["allow", "ask", "disable"] | None
    agent_id: Id | None = None


@router.get("/tools", response=Page[ToolOut], auth=Needs("agents:read"))
def list_tools(request: HttpRequest, agent_id: Id | None = None) -> dict[str, Any]:
    return {"items": services.list_tools(actor_of(request), agent_id=agent_id), "next": None}


@router.put("/tools/{tool}/policy", response=ToolOut, auth=Needs("agents:write"))
def set_policy(request: HttpRequest, tool: str, body: PolicyIn) -> Any:
    actor = actor_of(request)
    services.set_policy(actor, tool, body.policy, agent_id=body.agent_id)
    found = services.list_tools(actor, agent_id=body.agent_id)
    return next(each for each in found if each.name == tool)
