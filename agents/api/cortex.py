"""The cortex over HTTP: jobs, log and circuits for administrators, the profile for everyone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from accounts.errors import NotFound
from agents.cortex import queries, services
from agents.models import Breaker, CortexJob, CortexLog
from messaging.api import ConversationOut
from messaging.models import Conversation
from messaging.payloads import conversation_payload

router = Router(tags=["cortex"])
READ, WRITE = queries.READ, queries.WRITE
CORTEX = "/agents/{agent_id}/cortex"
JobName = Literal["supervision", "associations", "profile", "upkeep"]


class JobOut(Schema):
    name: str
    due_at: datetime
    is_running: bool
    failures: int
    result: dict[str, Any]
    last_started_at: datetime | None
    last_finished_at: datetime | None


class LogOut(Schema):
    id: int
    job: str
    event: str
    is_alarm: bool
    text: str
    detail: dict[str, Any]
    created_at: datetime


class BreakerOut(Schema):
    id: int
    tool: str
    state: str
    failures: int
    trips: int
    last_run_id: int | None
    opened_at: datetime | None
    next_try_at: datetime | None
    told_at: datetime | None


class ProfileOut(Schema):
    display_name: str
    status_line: str
    bio: str
    made_at: datetime


def job_payload(job: CortexJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "due_at": job.due_at,
        "is_running": bool(job.lease_owner),
        "failures": job.failures,
        "result": job.result,
        "last_started_at": job.last_started_at,
        "last_finished_at": job.last_finished_at,
    }


@router.get("/agents/{agent_id}/profile", response=ProfileOut, auth=Needs("agents:read"))
def get_profile(request: HttpRequest, agent_id: Id) -> Any:
    """How the agent introduces itself; 404 while it has not been written."""
    profile = queries.find_profile(actor_of(request), agent_id)
    if profile is None:
        raise NotFound("This agent has no profile yet.")
    return profile


@router.get(f"{CORTEX}/jobs", response=Page[JobOut], auth=Needs(READ))
def list_jobs(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """The recurring jobs that look after an agent."""
    rows = queries.list_jobs(actor_of(request), agent_id)
    return {"items": [job_payload(row) for row in rows], "next": None}


@router.post(f"{CORTEX}/jobs/{{job_name}}/run", response=JobOut, auth=Needs(WRITE))
def run_job(request: HttpRequest, agent_id: Id, job_name: JobName) -> dict[str, Any]:
    """Make a job due now; it runs within half a minute."""
    return job_payload(services.run_job_now(actor_of(request), agent_id, job_name))


@router.get(f"{CORTEX}/log", response=Page[LogOut], auth=Needs(READ))
def list_log(
    request: HttpRequest, agent_id: Id, alarms: bool = False, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """What was done and noticed, newest first; `alarms` keeps what people were told of."""
    rows: list[CortexLog] = queries.list_log(
        actor_of(request), agent_id, alarms_only=alarms, before=read_cursor(cursor), limit=limit + 1
    )
    return page(rows, limit=limit, payload=lambda row: row, cursor=lambda row: row.pk)


@router.get(f"{CORTEX}/breakers", response=Page[BreakerOut], auth=Needs(READ))
def list_breakers(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """Tools that failed lately, and whether the agent is cut off from them."""
    return {"items": queries.list_breakers(actor_of(request), agent_id), "next": None}


@router.post(f"{CORTEX}/breakers/{{breaker_id}}/close", response=BreakerOut, auth=Needs(WRITE))
def close_breaker(request: HttpRequest, agent_id: Id, breaker_id: Id) -> Breaker:
    """Let the agent call the tool again, now."""
    return services.close_breaker(actor_of(request), agent_id, breaker_id)


@router.post(f"{CORTEX}/chat", response=ConversationOut, auth=Needs(WRITE))
def open_chat(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """Your own conversation with the system of this agent; write to it as to any other."""
    conversation: Conversation = services.open_chat(actor_of(request), agent_id)
    return conversation_payload(conversation)
