"""What sets agents to work by themselves, and what waits for them, over HTTP. For administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from agents.queries import get_agent
from tasks.models import Happening, Wake, WakeEvent, WakeState, WakeTrigger
from tasks.queries import wakes as queries
from tasks.schedules.words import describe
from tasks.services.wakes import definitions, trying
from tasks.services.wakes.clock import timing_of

router = Router(tags=["wakes"])
READ, WRITE = "autonomy:read", "autonomy:write"
OF_AGENT, ONE, QUEUE = "/agents/{agent_id}/wakes", "/wakes/{wake_id}", "/agents/{agent_id}/wake-events"
LevelName = Literal["observe", "suggest", "act"]
Seconds = Field(default=None, ge=1, le=10**9)


class WakeIn(Strict):
    """`schedule` takes `expression` or `interval_s`, `event` takes `happening`, `webhook` may be `signed`."""

    trigger: WakeTrigger
    name: str = Field(max_length=120)
    instructions: str = Field(default="", max_length=4_000)
    minimum_level: LevelName = "observe"
    happening: Happening | None = None
    expression: str = Field(default="", max_length=120)
    interval_s: int | None = Seconds
    time_zone: str = Field(default="", max_length=64, description="IANA name; empty: the organization's")
    signed: bool = False
    enabled: bool = True


class WakePatch(Strict):
    """Of a built-in wake, instructions, level and switch."""

    name: str | None = Field(default=None, max_length=120)
    instructions: str | None = Field(default=None, max_length=4_000)
    minimum_level: LevelName | None = None
    happening: Happening | None = None
    expression: str | None = Field(default=None, max_length=120)
    interval_s: int | None = Seconds
    time_zone: str | None = Field(default=None, max_length=64)
    signed: bool | None = None
    enabled: bool | None = None


class WakeOut(Schema):
    id: int
    agent_id: int
    name: str
    trigger: str
    happening: str
    expression: str
    interval_s: int | None
    time_zone: str
    words: str
    instructions: str
    minimum_level: str
    enabled: bool
    built_in: bool
    signed: bool
    next_due_at: datetime | None
    last_fired_at: datetime | None
    created_at: datetime


class NewWakeOut(WakeOut):
    """`token` and `signing_key` of a webhook are shown here and never again."""

    token: str | None = None
    signing_key: str | None = None


class FireIn(Strict):
    payload: Any = None


class WakeEventOut(Schema):
    """One wake that fired `count` times while it waited. `tries` runs took it; `reason` says why it was given up."""

    id: int
    wake_id: int
    wake: str
    state: str
    count: int
    tries: int
    run_id: int | None
    reason: str
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None


class PayloadOut(Schema):
    id: int
    payload: Any
    from_outside: bool
    created_at: datetime


def wake_words(wake: Wake) -> str:
    """Say when a wake fires."""
    if wake.trigger == WakeTrigger.SCHEDULE:
        return describe(timing_of(wake))
    if wake.trigger == WakeTrigger.EVENT:
        return Happening(wake.happening).label
    return "A signed request from outside" if wake.signed else "A request from outside"


def wake_payload(wake: Wake) -> dict[str, Any]:
    plain = [name for name in WakeOut.model_fields if name != "words"]
    return {**{name: getattr(wake, name) for name in plain}, "words": wake_words(wake)}


def event_payload(event: WakeEvent) -> dict[str, Any]:
    plain = [name for name in WakeEventOut.model_fields if name != "wake"]
    return {**{name: getattr(event, name) for name in plain}, "wake": event.wake.name}


@router.get(OF_AGENT, response=Page[WakeOut], auth=Needs(READ))
def list_wakes(request: HttpRequest, agent_id: Id) -> dict[str, Any]:
    """What wakes an agent: its own wakes, then the built-in ones."""
    actor = actor_of(request)
    rows = queries.list_wakes(actor, get_agent(actor, agent_id).pk)
    return {"items": [wake_payload(row) for row in rows], "next": None}


@router.post(OF_AGENT, response={201: NewWakeOut}, auth=Needs(WRITE))
def create_wake(request: HttpRequest, agent_id: Id, body: WakeIn) -> Status[Any]:
    actor = actor_of(request)
    values = {
        name: value for name, value in body.dict(exclude={"trigger"}).items() if value not in (None, "")
    }
    values["name"] = body.name
    values.setdefault("time_zone", actor.organization.time_zone)
    wake, found = definitions.create_wake(
        actor, get_agent(actor, agent_id).pk, trigger=body.trigger, **values
    )
    return Status(201, {**wake_payload(wake), **(vars(found) if found else {})})


@router.get(ONE, response=WakeOut, auth=Needs(READ))
def get_wake(request: HttpRequest, wake_id: Id) -> dict[str, Any]:
    return wake_payload(definitions.get_wake(actor_of(request), wake_id))


@router.patch(ONE, response=WakeOut, auth=Needs(WRITE))
def change_wake(request: HttpRequest, wake_id: Id, body: WakePatch) -> dict[str, Any]:
    """Change what is given. To go from an expression to an interval, send the one empty with the other."""
    given = body.dict(exclude_unset=True)
    values = {name: value for name, value in given.items() if value is not None or name == "interval_s"}
    return wake_payload(definitions.change_wake(actor_of(request), wake_id, **values))


@router.delete(ONE, response={204: None}, auth=Needs(WRITE))
def delete_wake(request: HttpRequest, wake_id: Id) -> Status[None]:
    """Remove a wake with all it brought; 409 for a built-in one."""
    definitions.delete_wake(actor_of(request), wake_id)
    return Status(204, None)


@router.post(f"{ONE}/token", response=NewWakeOut, auth=Needs(WRITE))
def renew_token(request: HttpRequest, wake_id: Id) -> dict[str, Any]:
    """Give a webhook another token; the old one opens nothing any more."""
    wake, found = definitions.renew_token(actor_of(request), wake_id)
    return {**wake_payload(wake), **vars(found)}


@router.post(f"{ONE}/fire", response={201: WakeEventOut}, auth=Needs(WRITE))
def fire_wake(request: HttpRequest, wake_id: Id, body: FireIn) -> Status[Any]:
    """Fire it by hand, to try it out; 409 while it is switched off."""
    return Status(201, event_payload(trying.try_out(actor_of(request), wake_id, body.payload)))


@router.get(QUEUE, response=Page[WakeEventOut], auth=Needs(READ))
def list_events(
    request: HttpRequest,
    agent_id: Id,
    state: WakeState | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """What waits for the agent, is being dealt with, or was; newest first."""
    actor = actor_of(request)
    rows = queries.list_events(
        actor, get_agent(actor, agent_id).pk, state=state or "", before=read_cursor(cursor), limit=limit + 1
    )
    return page(rows, limit=limit, payload=event_payload, cursor=lambda row: row.pk)


@router.get(f"{QUEUE}/{{event_id}}/payloads", response=Page[PayloadOut], auth=Needs(READ))
def list_payloads(
    request: HttpRequest, agent_id: Id, event_id: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """What came with an event, newest first, whole."""
    actor = actor_of(request)
    event = queries.get_event(actor, get_agent(actor, agent_id).pk, event_id)
    rows = queries.list_payloads(event, before=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=lambda row: row, cursor=lambda row: row.pk)
