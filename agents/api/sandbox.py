"""The walls around commands over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.api_basics import Id, Needs, Strict, actor_of
from agents.services import sandboxes as services

router = Router(tags=["sandbox"])

Path = Annotated[str, Field(max_length=500)]
Paths = Annotated[list[Path], Field(max_length=services.MOST_PATHS)]


class TrialOut(Schema):
    """What came of a real trial of a driver on the machine that answers."""

    name: str
    works: bool
    reason: str


class SandboxOut(Schema):
    """`mode` and `network` are empty where nothing is set; `sandbox` is the driver in use, empty where commands are refused."""

    agent_id: int | None
    mode: str
    network: str
    writable_paths: list[str]
    readable_paths: list[str]
    effective_mode: str
    effective_network: str
    sandbox: str
    trials: list[TrialOut]


class SandboxIn(Strict):
    """Replaces what is set. Without `agent_id` it is the whole organization's; "" inherits."""

    agent_id: Id | None = None
    mode: Literal["", "auto", "none"] = ""
    network: Literal["", "none", "proxy"] = ""
    writable_paths: Paths = []
    readable_paths: Paths = []


@router.get("/sandbox", response=SandboxOut, auth=Needs("agents:read"))
def get_sandbox(request: HttpRequest, agent_id: Id | None = None) -> Any:
    return services.get_walls(actor_of(request), agent_id=agent_id)


@router.put("/sandbox", response=SandboxOut, auth=Needs("agents:write"))
def set_sandbox(request: HttpRequest, body: SandboxIn) -> Any:
    """Owners may; it holds from the next command on."""
    actor = actor_of(request)
    services.set_walls(actor, **body.model_dump())
    return services.get_walls(actor, agent_id=body.agent_id)
