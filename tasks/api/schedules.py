"""Schedules and their ledger over HTTP. You see those that answer into conversations you take part in."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status
from pydantic import BeforeValidator, Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from tasks.models import Misfire, Overlap, Schedule, ScheduleState
from tasks.queries import schedules as queries
from tasks.schedules.payloads import firing_payload, schedule_payload
from tasks.schedules.words import describe
from tasks.services.schedules import acts, deliveries, editing, ledger
from tasks.services.schedules.fields import When

router = Router(tags=["schedules"])
READ, WRITE = "schedules:read", "schedules:write"
ONE = "/schedules/{schedule_id}"


def _written(value: Any) -> Any:
    """A number is no time: it would be read as seconds."""
    if value is not None and not isinstance(value, str):
        raise ValueError("must be a text")
    return value


Moment = Annotated[datetime, BeforeValidator(_written)]
TimeOfDay = Annotated[time, BeforeValidator(_written)]
Seconds = Field(default=None, ge=1, le=10**9)


class WhenIn(Strict):
    """Either `phrase`, in words, or one of `expression`, `interval_s` (from `anchor_at`) and `once_at`."""

    phrase: str = Field(default="", max_length=200)
    expression: str = Field(default="", max_length=200)
    interval_s: int | None = Seconds
    anchor_at: Moment | None = None
    once_at: Moment | None = None
    time_zone: str = Field(default="", max_length=64, description="IANA name; empty: the organization's")

    def when(self) -> When:
        return When(**{name: _aware(value) for name, value in self.dict().items()})


class OptionsIn(Strict):
    name: str = Field(default="", max_length=200)
    timeout_s: int = Field(default=1_500, ge=1, le=10**6)
    run_once: bool = False
    misfire: Misfire = Misfire.ONCE
    grace_s: int = Field(default=120, ge=1, le=10**6)
    overlap: Overlap = Overlap.SKIP
    active_from: TimeOfDay | None = None
    active_until: TimeOfDay | None = None


class ScheduleIn(OptionsIn):
    conversation_id: Id
    prompt: str = Field(max_length=20_000)
    when: WhenIn


class SchedulePatch(Strict):
    conversation_id: Id | None = None
    prompt: str | None = Field(default=None, max_length=20_000)
    when: WhenIn | None = None
    name: str | None = Field(default=None, max_length=200)
    timeout_s: int | None = Field(default=None, ge=1, le=10**6)
    run_once: bool | None = None
    misfire: Misfire | None = None
    grace_s: int | None = Field(default=None, ge=1, le=10**6)
    overlap: Overlap | None = None
    active_from: TimeOfDay | None = None
    active_until: TimeOfDay | None = None


class ScheduleOut(Schema):
    """`next` are the next three times, local to `time_zone`."""

    id: int
    name: str
    prompt: str
    agent_id: int
    conversation_id: int
    owner_id: int | None
    kind: str
    expression: str
    interval_s: int | None
    anchor_at: datetime | None
    once_at: datetime | None
    time_zone: str
    words: str
    active_from: time | None
    active_until: time | None
    timeout_s: int
    run_once: bool
    misfire: str
    grace_s: int
    overlap: str
    state: str
    stopped_reason: str
    failures_in_row: int
    next: list[datetime]
    created_at: datetime
    confirmed_at: datetime | None


class PreviewOut(Schema):
    kind: str
    expression: str
    interval_s: int | None
    once_at: datetime | None
    time_zone: str
    words: str
    next: list[datetime]


class FiringOut(Schema):
    """A line of the ledger: one instant, or `count` from `due_at` to `until_at` with one reason not to run."""

    id: int
    schedule_id: int
    due_at: datetime
    until_at: datetime | None
    count: int
    trigger: str
    decision: str
    reason: str
    run_id: int | None
    execution: str
    delivery: str
    message_id: int | None
    outcome: str
    failure: str
    cost_usd: str | None
    decided_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    delivered_at: datetime | None


@router.get("/schedules", response=Page[ScheduleOut], auth=Needs(READ))
def list_schedules(
    request: HttpRequest,
    state: ScheduleState | None = None,
    conversation_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Newest first."""
    rows = queries.list_schedules(
        actor_of(request),
        state=state or "",
        conversation_id=conversation_id,
        before=read_cursor(cursor),
        limit=limit + 1,
    )
    return page(rows, limit=limit, payload=_shown, cursor=lambda row: row.pk)


@router.post("/schedules", response={201: ScheduleOut}, auth=Needs(WRITE))
def create_schedule(request: HttpRequest, body: ScheduleIn) -> Status[Any]:
    """Make a schedule of your own. It is active at once and runs with your authority."""
    options = body.dict(exclude={"conversation_id", "prompt", "when"})
    made = editing.create_schedule(
        actor_of(request),
        conversation_id=body.conversation_id,
        prompt=body.prompt,
        when=body.when.when(),
        **options,
    )
    return Status(201, _shown(made))


@router.post("/schedules/preview", response=PreviewOut, auth=Needs(READ))
def preview_schedule(request: HttpRequest, body: WhenIn) -> dict[str, Any]:
    """Say when something would run; nothing is kept."""
    timing = editing.preview(actor_of(request), body.when())
    return {
        "kind": timing.kind,
        "expression": timing.expression,
        "interval_s": timing.interval_s,
        "once_at": timing.once_at,
        "time_zone": timing.time_zone,
        "words": describe(timing),
        "next": timing.upcoming(timezone.now()),
    }


@router.get(ONE, response=ScheduleOut, auth=Needs(READ))
def get_schedule(request: HttpRequest, schedule_id: Id) -> dict[str, Any]:
    return _shown(queries.get_schedule(actor_of(request), schedule_id))


@router.patch(ONE, response=ScheduleOut, auth=Needs(WRITE))
def update_schedule(request: HttpRequest, schedule_id: Id, body: SchedulePatch) -> dict[str, Any]:
    """Change what is given. Who changes words, times or the place becomes the owner."""
    given = body.dict(exclude_unset=True)
    given.pop("when", None)
    for name, value in list(given.items()):
        if value is None and name not in ("active_from", "active_until"):
            del given[name]
    changed = editing.update_schedule(
        actor_of(request), schedule_id, when=body.when.when() if body.when else None, **given
    )
    return _shown(changed)


@router.delete(ONE, response={204: None}, auth=Needs(WRITE))
def delete_schedule(request: HttpRequest, schedule_id: Id) -> Status[None]:
    editing.delete_schedule(actor_of(request), schedule_id)
    return Status(204, None)


@router.post(f"{ONE}/confirm", response=ScheduleOut, auth=Needs(WRITE))
def confirm_schedule(request: HttpRequest, schedule_id: Id) -> dict[str, Any]:
    """Let what an agent proposed run from now on."""
    return _shown(acts.confirm(actor_of(request), schedule_id))


@router.post(f"{ONE}/pause", response=ScheduleOut, auth=Needs(WRITE))
def pause_schedule(request: HttpRequest, schedule_id: Id) -> dict[str, Any]:
    """Stop firing, and stop what was fired and has not begun."""
    return _shown(acts.pause(actor_of(request), schedule_id))


@router.post(f"{ONE}/resume", response=ScheduleOut, auth=Needs(WRITE))
def resume_schedule(request: HttpRequest, schedule_id: Id) -> dict[str, Any]:
    return _shown(acts.resume(actor_of(request), schedule_id))


@router.post(f"{ONE}/reset", response=ScheduleOut, auth=Needs(WRITE))
def reset_schedule(request: HttpRequest, schedule_id: Id) -> dict[str, Any]:
    """Start one again that was stopped after failures."""
    return _shown(acts.reset(actor_of(request), schedule_id))


@router.post(f"{ONE}/run", response={201: FiringOut}, auth=Needs(WRITE))
def run_schedule(request: HttpRequest, schedule_id: Id) -> Status[Any]:
    """Run it now, by hand; 409 while it is running."""
    return Status(201, firing_payload(acts.run_now(actor_of(request), schedule_id)))


@router.get(f"{ONE}/firings", response=Page[FiringOut], auth=Needs(READ))
def list_firings(
    request: HttpRequest, schedule_id: Id, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """The ledger, latest first: every due instant and what became of it."""
    actor = actor_of(request)
    schedule = queries.get_schedule(actor, schedule_id)
    ledger.account_for(schedule, now=timezone.now())
    rows = queries.list_firings(actor, schedule, before=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=firing_payload, cursor=lambda row: row.pk)


@router.post(f"{ONE}/firings/{{firing_id}}/deliver", response=FiringOut, auth=Needs(WRITE))
def deliver_again(request: HttpRequest, schedule_id: Id, firing_id: Id) -> dict[str, Any]:
    """Send once more what could not be delivered. The work is not run again."""
    return firing_payload(deliveries.deliver_again(actor_of(request), schedule_id, firing_id))


def _shown(schedule: Schedule) -> dict[str, Any]:
    return schedule_payload(schedule, now=timezone.now())


def _aware(value: Any) -> Any:
    return timezone.make_aware(value) if isinstance(value, datetime) and timezone.is_naive(value) else value
