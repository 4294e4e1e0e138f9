"""How far agents go by themselves, over HTTP: the dial, its limits, pause, stop, what they did. For administrators."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, Field

from accounts.actor import Actor
from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from accounts.errors import NotFound
from agents.autonomy import pausing, queries, settings
from agents.autonomy.explaining import explain
from agents.autonomy.levels import lower
from agents.models import Autonomy, Halt

router = Router(tags=["autonomy"])
READ, WRITE = "autonomy:read", "autonomy:write"
ONE, ALL = "/agents/{agent_id}/autonomy", "/autonomy"
LevelName = Literal["off", "observe", "suggest", "act"]


def _bounds(name: str) -> Any:
    low, high = settings.BOUNDS[name]
    return Field(default=None, ge=low, le=high)


def _written(value: Any) -> Any:
    """A number is no time: it would be read as seconds."""
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a text")
    return value


TimeOfDay = Annotated[time, BeforeValidator(_written)]


class AutonomyPatch(Strict):
    level: LevelName | None = None
    interval_s: int | None = _bounds("interval_s")
    gap_s: int | None = _bounds("gap_s")
    active_from: TimeOfDay | None = None
    active_until: TimeOfDay | None = None
    timeout_s: int | None = _bounds("timeout_s")
    tasks_per_run: int | None = _bounds("tasks_per_run")
    tasks_per_day: int | None = _bounds("tasks_per_day")
    minutes_per_day: int | None = _bounds("minutes_per_day")
    run_history: int | None = _bounds("run_history")
    claim_unowned: bool | None = None


class PauseIn(Strict):
    reason: str = Field(default="", max_length=300)


class StateOut(Schema):
    """What the agent does by itself now and why, in words; `until` is when that changes by itself."""

    doing: str
    words: str
    until: datetime | None
    run_id: int | None
    waiting: int


class AutonomyOut(Schema):
    """`effective_level` is `level` under the organization's `ceiling`."""

    agent_id: int
    level: str
    ceiling: str
    effective_level: str
    interval_s: int
    gap_s: int
    active_from: str | None
    active_until: str | None
    timeout_s: int
    tasks_per_run: int
    tasks_per_day: int
    minutes_per_day: int
    run_history: int
    claim_unowned: bool
    paused_at: datetime | None
    paused_reason: str
    failures_in_row: int
    state: StateOut


class LookOut(Schema):
    """One autonomous run. `cost_usd` is null where it is not known."""

    run_id: int
    why: str
    level: str
    state: str
    summary: str
    actions: list[dict[str, Any]]
    failure: str
    cost_usd: str | None
    tasks_started: list[int]
    created_at: datetime
    finished_at: datetime | None


class HaltOut(Schema):
    """A use of the stop switch: `left` runs have not ended yet; `took_s` is the time to full stop, null until then."""

    id: int
    agent_id: int | None
    reason: str
    runs: int
    left: int
    took_s: float | None
    asked_at: datetime


class AutonomyRulePatch(Strict):
    ceiling: LevelName


class AutonomyRuleOut(Schema):
    ceiling: str
    paused_at: datetime | None
    paused_reason: str


class WorkerOut(Schema):
    agent_id: int
    name: str
    level: str
    effective_level: str
    is_paused: bool
    is_working: bool
    last_at: datetime | None


FIELDS = tuple(name for name in AutonomyOut.model_fields if hasattr(Autonomy, name))


def shown(actor: Actor, agent_id: int) -> dict[str, Any]:
    row, rule = settings.get_autonomy(actor, agent_id), settings.get_rule(actor)
    level = lower(row.level, rule.ceiling)
    state = explain(row, rule, level)
    return {
        **{name: getattr(row, name) for name in FIELDS},
        **{name: _clock(getattr(row, name)) for name in settings.HOURS},
        "ceiling": rule.ceiling,
        "effective_level": level,
        "state": {**vars(state), "run_id": state.run.pk if state.run else None},
    }


def _clock(value: time | None) -> str | None:
    return None if value is None else value.isoformat()


def halt_payload(row: Halt) -> dict[str, Any]:
    progress = pausing.progress_of(row)
    return {
        "id": row.pk,
        "agent_id": row.agent_id,
        "reason": row.reason,
        "runs": progress.count,
        "left": progress.left,
        "took_s": progress.took.total_seconds() if progress.took is not None else None,
        "asked_at": row.asked_at,
    }


def _latest(actor: Actor, agent_id: int | None) -> dict[str, Any]:
    row = pausing.latest_halt(actor, agent_id)
    if row is None:
        raise NotFound("Nothing was stopped yet.")
    return halt_payload(row)


@router.get(ONE, response=AutonomyOut, auth=Needs(READ))
def get_autonomy(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    return shown(actor_of(request), agent_id)


@router.patch(ONE, response=AutonomyOut, auth=Needs(WRITE))
def change_autonomy(request: HttpRequest, agent_id: Id, body: AutonomyPatch) -> dict[str, Any]:
    """Change what is given. A level above the ceiling holds only up to it."""
    actor = actor_of(request)
    given = body.dict(exclude_unset=True)
    changes = {name: value for name, value in given.items() if value is not None or name in settings.HOURS}
    settings.change_autonomy(actor, agent_id, **changes)
    return shown(actor, agent_id)


@router.post(f"{ONE}/pause", response=AutonomyOut, auth=Needs(WRITE))
def pause_agent(request: HttpRequest, agent_id: Id, body: PauseIn) -> dict[str, Any]:
    """Let the agent begin nothing more by itself; what is queued of that is closed."""
    actor = actor_of(request)
    pausing.pause(actor, agent_id, reason=body.reason)
    return shown(actor, agent_id)


@router.post(f"{ONE}/resume", response=AutonomyOut, auth=Needs(WRITE))
def resume_agent(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """Let it go on, also where it rests after failures."""
    actor = actor_of(request)
    pausing.resume(actor, agent_id)
    return shown(actor, agent_id)


@router.post(f"{ONE}/halt", response={201: HaltOut}, auth=Needs(WRITE))
def halt_agent(request: HttpRequest, agent_id: Id, body: PauseIn) -> Status[Any]:
    """Stop everything the agent runs, in conversations too, and pause it."""
    return Status(201, halt_payload(pausing.halt(actor_of(request), agent_id, reason=body.reason)))


@router.get(f"{ONE}/halt", response=HaltOut, auth=Needs(READ))
def get_halt(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """The last stop that concerned the agent, with how far it is; 404 where there was none."""
    actor = actor_of(request)
    settings.get_autonomy(actor, agent_id)
    return _latest(actor, agent_id)


@router.get(f"{ONE}/runs", response=Page[LookOut], auth=Needs(READ))
def list_runs(
    request: HttpRequest, agent_id: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """What it did by itself, newest first."""
    rows = queries.list_looks(actor_of(request), agent_id, before=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=_look, cursor=lambda look: look.run.pk)


def _look(look: queries.Look) -> dict[str, Any]:
    return {
        "run_id": look.run.pk,
        "why": look.run.title,
        "level": look.level,
        "state": look.run.state,
        "summary": look.summary,
        "actions": look.actions,
        "failure": look.failure,
        "cost_usd": None if look.cost_usd is None else str(look.cost_usd),
        "tasks_started": [each.number for each in look.started],
        "created_at": look.run.created_at,
        "finished_at": look.run.finished_at,
    }


@router.get(ALL, response=AutonomyRuleOut, auth=Needs(READ))
def get_rule(request: HttpRequest) -> Any:
    """What holds for all agents of the organization."""
    return settings.get_rule(actor_of(request))


@router.patch(ALL, response=AutonomyRuleOut, auth=Needs(WRITE))
def set_ceiling(request: HttpRequest, body: AutonomyRulePatch) -> Any:
    """Set how far any agent may go by itself; it holds from the next tool call of what is under way."""
    return settings.set_ceiling(actor_of(request), body.ceiling)


@router.get(f"{ALL}/agents", response=Page[WorkerOut], auth=Needs(READ))
def list_workers(request: HttpRequest) -> dict[str, Any]:
    """Every agent, with how far it goes by itself."""
    items = [
        {
            "agent_id": each.agent.pk,
            "name": each.agent.name,
            "level": each.row.level,
            "effective_level": each.standing.level,
            "is_paused": each.standing.is_paused,
            "is_working": each.is_working,
            "last_at": each.last_at,
        }
        for each in queries.list_workers(actor_of(request))
    ]
    return {"items": items, "next": None}


@router.post(f"{ALL}/pause", response=AutonomyRuleOut, auth=Needs(WRITE))
def pause_all(request: HttpRequest, body: PauseIn) -> Any:
    """Let no agent begin anything more by itself."""
    actor = actor_of(request)
    pausing.pause(actor, reason=body.reason)
    return settings.get_rule(actor)


@router.post(f"{ALL}/resume", response=AutonomyRuleOut, auth=Needs(WRITE))
def resume_all(request: HttpRequest) -> Any:
    """Let all go on but those that are paused by themselves."""
    actor = actor_of(request)
    pausing.resume(actor)
    return settings.get_rule(actor)


@router.post(f"{ALL}/halt", response={201: HaltOut}, auth=Needs(WRITE))
def halt_all(request: HttpRequest, body: PauseIn) -> Status[Any]:
    """Stop everything that all agents run, and pause them."""
    return Status(201, halt_payload(pausing.halt(actor_of(request), reason=body.reason)))


@router.get(f"{ALL}/halt", response=HaltOut, auth=Needs(READ))
def get_halt_of_all(request: HttpRequest) -> dict[str, Any]:
    """The last stop of everything, with how far it is; 404 where there was none."""
    return _latest(actor_of(request), None)
