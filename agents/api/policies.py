"""Tools and their policies over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.actor import Actor
from accounts.api_basics import Id, Needs, Page, Strict, actor_of
from agents.services import policies as services
from agents.services.tool_health import ToolHealth, health_of

router = Router(tags=["tools"])


class CircuitOut(Schema):
    agent_id: int
    state: str
    failures: int
    next_try_at: datetime | None


class HealthOut(Schema):
    """Failures of the last seven days that you may read of; `cut_off` is told to administrators alone."""

    failures: int = 0
    last_at: datetime | None = None
    last_text: str = ""
    last_run_id: int | None = None
    cut_off: list[CircuitOut] = []


class ToolOut(Schema):
    """`organization` and `agent` are empty where nothing is set; `effective` is what holds."""

    name: str
    description: str
    kinds: list[str]
    default: str
    organization: str
    agent: str
    effective: str
    asks_people: bool
    health: HealthOut


class PolicyIn(Strict):
    """null goes back to what holds without it. Without `agent_id` it is the whole organization's."""

    policy: Literal["allow", "ask", "disable"] | None
    agent_id: Id | None = None


@router.get("/tools", response=Page[ToolOut], auth=Needs("agents:read"))
def list_tools(request: HttpRequest, agent_id: Id | None = None) -> dict[str, Any]:
    return {"items": _shown(actor_of(request), agent_id), "next": None}


@router.put("/tools/{tool}/policy", response=ToolOut, auth=Needs("agents:write"))
def set_policy(request: HttpRequest, tool: str, body: PolicyIn) -> Any:
    actor = actor_of(request)
    services.set_policy(actor, tool, body.policy, agent_id=body.agent_id)
    return next(each for each in _shown(actor, body.agent_id) if each["name"] == tool)


def _shown(actor: Actor, agent_id: int | None) -> list[dict[str, Any]]:
    health = health_of(actor, agent_id=agent_id)
    tools = services.list_tools(actor, agent_id=agent_id)
    return [{**vars(tool), "health": health.get(tool.name, ToolHealth())} for tool in tools]
