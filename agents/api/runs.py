"""Runs and their steps over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from agents import queries
from agents.models import Run, RunKind
from agents.payloads import run_payload, step_payload
from agents.services import runs as services

router = Router(tags=["runs"])


class RunOut(Schema):
    id: int
    kind: str
    state: str
    waiting_for: str
    title: str
    interactive: bool
    conversation_id: int | None
    parent_id: int | None
    report_to_id: int | None
    agent_id: int
    status_text: str
    outcome: str
    current_tool: str
    failure: str
    result_text: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ToolCallOut(Schema):
    id: int
    name: str
    arguments: Any
    state: str
    allowed_by: str
    result: str
    redactions: dict[str, int]
    started_at: datetime
    finished_at: datetime | None


class StepOut(Schema):
    id: int
    number: int
    added: Any
    response: Any
    model: str
    stop_reason: str
    input_tokens: int
    output_tokens: int
    cost_usd: str | None
    scrubbing: Any
    started_at: datetime
    finished_at: datetime
    tool_calls: list[ToolCallOut]


class CancelIn(Strict):
    reason: str = Field(default="", max_length=500)


def payload(run: Run) -> dict[str, Any]:
    return run_payload(run, current_tool=queries.current_tools([run.pk]).get(run.pk, ""))


@router.get("/runs", response=Page[RunOut], auth=Needs("runs:read"))
def list_runs(
    request: HttpRequest,
    conversation_id: Id | None = None,
    kind: RunKind | None = None,
    live: bool = False,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Runs of your conversations, newest first."""
    rows = queries.list_runs(
        actor_of(request),
        conversation_id=conversation_id,
        live_only=live,
        kind=kind,
        before=read_cursor(cursor),
        limit=limit + 1,
    )
    tools = queries.current_tools([row.pk for row in rows])
    return page(
        rows,
        limit=limit,
        payload=lambda row: run_payload(row, current_tool=tools.get(row.pk, "")),
        cursor=lambda row: row.pk,
    )


@router.get("/runs/{run_id}", response=RunOut, auth=Needs("runs:read"))
def get_run(request: HttpRequest, run_id: Id) -> dict[str, Any]:
    return payload(queries.get_run(actor_of(request), run_id))


@router.get("/runs/{run_id}/steps", response=Page[StepOut], auth=Needs("runs:read"))
def list_steps(request: HttpRequest, run_id: Id) -> dict[str, Any]:
    """Every model call of the run with its tool calls."""
    actor = actor_of(request)
    steps = queries.list_steps(actor, queries.get_run(actor, run_id))
    return {"items": [step_payload(step) for step in steps], "next": None}


@router.post("/runs/{run_id}/cancel", response=RunOut, auth=Needs("runs:write"))
def cancel_run(request: HttpRequest, run_id: Id, body: CancelIn) -> dict[str, Any]:
    return payload(services.cancel_run(actor_of(request), run_id, reason=body.reason))


@router.post("/runs/{run_id}/retry", response={201: RunOut}, auth=Needs("runs:write"))
def retry_run(request: HttpRequest, run_id: Id) -> Status[Any]:
    return Status(201, payload(services.retry_run(actor_of(request), run_id)))
