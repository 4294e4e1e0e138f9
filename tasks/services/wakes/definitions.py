"""The definitions of wakes: the built-in ones, and those that administrators add. Every change is audited."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.checks import check_time_zone
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Role
from accounts.services import audit
from realtime.services import NewEvent, record, unit_of_work
from tasks.models import Happening, Level, Wake, WakeTrigger
from tasks.queries.wakes import with_last_firing
from tasks.schedules.timing import Timing, check_timing
from tasks.services.wakes.clock import timing_of

H = Happening
BUILT_IN: dict[Happening, tuple[Level, str]] = {
    H.TASK_APPROVED: (Level.ACT, "Start it, unless something speaks against it; then say what."),
    H.TASK_COMMENTED: (Level.SUGGEST, "Read the discussion, and answer there if you are asked something."),
    H.GOAL_CHANGED: (Level.SUGGEST, "Look whether the goal needs tasks that do not exist yet, and propose them."),
    H.WORK_FINISHED: (Level.SUGGEST, "Look at the result, and whether something follows from it."),
    H.WORK_FAILED: (Level.SUGGEST, "Find out why, and say on the task what would help. People decide whether to try again."),
    H.AGENT_MESSAGE: (Level.OBSERVE, "Take note of it. The answer itself was given already."),
    H.FILE_INGESTED: (Level.OBSERVE, "Look whether what was learned matters to a goal or a task."),
    H.CORTEX_FINDING: (Level.OBSERVE, "Look whether people need to know more than they were told."),
}  # fmt: skip
MOST = 50
SHORTEST_INTERVAL_S = 300
TEXTS = {"name": 120, "instructions": 4_000}
CALENDAR = {"expression", "interval_s", "time_zone"}


@dataclass(frozen=True)
class Secrets:
    """What is shown once: the token in a webhook's address, and the key its signatures are made with."""

    token: str
    signing_key: str


def add_built_in(organization_id: int, agent_id: int) -> None:
    """Give an agent the built-in wakes it lacks."""
    Wake.objects.bulk_create(
        (
            Wake(
                organization_id=organization_id,
                agent_id=agent_id,
                name=happening.label,
                trigger=WakeTrigger.EVENT,
                happening=happening,
                instructions=instructions,
                minimum_level=level,
                built_in=True,
            )
            for happening, (level, instructions) in BUILT_IN.items()
        ),
        ignore_conflicts=True,
    )


def get_wake(actor: Actor, wake_id: int) -> Wake:
    """Return a wake of the actor's organization. Administrators see them. Raises NotFound."""
    actor.check_level(Role.ADMIN)
    wake = with_last_firing(Wake.objects.filter(pk=wake_id, organization=actor.organization)).first()
    if wake is None:
        raise NotFound("There is no such wake.")
    return wake


def create_wake(actor: Actor, agent_id: int, *, trigger: str, **values: Any) -> tuple[Wake, Secrets | None]:
    """Add a wake. Administrators may; whose agent it is, the caller has checked. Raises InvalidInput."""
    actor.check_level(Role.ADMIN)
    if trigger not in WakeTrigger.values:
        raise InvalidInput("A wake is by the calendar, by webhook, or by an event.", field="trigger")
    if Wake.objects.filter(agent_id=agent_id, built_in=False).count() >= MOST:
        raise Conflict(f"An agent has {MOST} wakes of its own at most.")
    cleaned = _clean({"name": "", **values})
    wake = Wake(
        organization=actor.organization, agent_id=agent_id, trigger=trigger, created_by=actor.user, **cleaned
    )
    found = _fill(wake, now=timezone.now())
    with unit_of_work():
        wake.save(force_insert=True)
        _note(actor, "wake.created", wake, trigger=trigger)
    return wake, found


def change_wake(actor: Actor, wake_id: int, **values: Any) -> Wake:
    """Change a wake. Of a built-in one, instructions, level and switch. Raises InvalidInput and NotFound."""
    cleaned = _clean(values)
    with unit_of_work():
        wake = get_wake(actor, wake_id)
        if wake.built_in and set(cleaned) - {"instructions", "minimum_level", "enabled"}:
            raise Conflict("This wake is built in; its name and its trigger stay.")
        for field, value in cleaned.items():
            setattr(wake, field, value)
        if CALENDAR & set(cleaned) and wake.trigger != WakeTrigger.SCHEDULE:
            raise InvalidInput("This wake has no calendar.", field="expression")
        if "happening" in cleaned and wake.trigger != WakeTrigger.EVENT:
            raise InvalidInput("This wake listens to no event.", field="happening")
        # An interval goes on from where it began, unless it is another; one switched on again catches nothing up.
        if "happening" in cleaned or (
            wake.trigger == WakeTrigger.SCHEDULE and {*CALENDAR, "enabled"} & set(cleaned)
        ):
            _fill(wake, now=timezone.now())
        wake.save()
        _note(actor, "wake.changed", wake, fields=sorted(cleaned))
    return wake


def renew_token(actor: Actor, wake_id: int) -> tuple[Wake, Secrets]:
    """Give a webhook another token; the old one no longer opens anything."""
    with unit_of_work():
        wake = get_wake(actor, wake_id)
        if wake.trigger != WakeTrigger.WEBHOOK:
            raise Conflict("This wake has no token.")
        found = _new_token(wake)
        wake.save(update_fields=["token_digest", "updated_at"])
        _note(actor, "wake.token_renewed", wake)
    return wake, found


def delete_wake(actor: Actor, wake_id: int) -> None:
    """Remove a wake with all it brought. A built-in one is switched off instead: Conflict."""
    with unit_of_work():
        wake = get_wake(actor, wake_id)
        if wake.built_in:
            raise Conflict("This wake is built in; switch it off instead.")
        _note(actor, "wake.deleted", wake)
        wake.delete()


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def signing_key_of(token: str) -> str:
    """Return the key that signs requests to a webhook: it follows from the token, so that nothing secret is stored."""
    return hashlib.sha256(b"signing:" + token.encode()).hexdigest()


def _fill(wake: Wake, *, now: datetime) -> Secrets | None:
    """Complete what follows from the trigger, or raise InvalidInput."""
    if wake.trigger == WakeTrigger.EVENT:
        if wake.happening not in Happening.values:
            raise InvalidInput("There is no such event.", field="happening")
        return None
    if wake.happening:
        raise InvalidInput("Only a wake by event listens to one.", field="happening")
    if wake.trigger == WakeTrigger.WEBHOOK:
        if wake.expression or wake.interval_s:
            raise InvalidInput("A webhook has no calendar.", field="expression")
        return _new_token(wake)
    if bool(wake.expression) == bool(wake.interval_s):
        raise InvalidInput("Give an expression or an interval, one of the two.", field="expression")
    if wake.interval_s and wake.interval_s < SHORTEST_INTERVAL_S:
        raise InvalidInput(f"An interval is {SHORTEST_INTERVAL_S} seconds at least.", field="interval_s")
    timing = timing_of(wake)
    checked = check_timing(
        Timing(timing.kind, wake.time_zone, timing.expression, timing.interval_s, None), now=now
    )
    wake.expression, wake.anchor_at = checked.expression, checked.anchor_at
    wake.next_due_at = checked.next_after(now)
    return None


def _new_token(wake: Wake) -> Secrets:
    token = secrets.token_urlsafe(32)
    wake.token_digest = digest_of(token)
    return Secrets(token, signing_key_of(token))


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in values.items():
        if field in TEXTS:
            found[field] = _text(field, value)
        elif field in ("enabled", "signed"):
            found[field] = bool(value)
        elif field == "minimum_level":
            if value not in Level.values or value == Level.OFF:
                raise InvalidInput("The level is observe, suggest or act.", field=field)
            found[field] = value
        elif field in ("expression", "happening"):
            found[field] = str(value or "")
        elif field == "interval_s":
            found[field] = int(value) if value else None
        elif field == "time_zone":
            check_time_zone(str(value))
            found[field] = str(value)
        else:
            raise InvalidInput("This cannot be changed.", field=field)
    return found


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise InvalidInput("This must be text.", field=field)
    text = " ".join(value.split()) if field == "name" else value.strip()
    if field == "name" and not text:
        raise InvalidInput("A wake needs a name.", field=field)
    if len(text) > TEXTS[field]:
        raise InvalidInput(f"This is too long: {TEXTS[field]:,} characters at most.", field=field)
    return text


def _note(actor: Actor, action: str, wake: Wake, **detail: Any) -> None:
    audit.record(actor, actor.organization, action, f"wake:{wake.pk}", agent_id=wake.agent_id, **detail)
    record(
        wake.organization_id,
        NewEvent("autonomy.changed", {"agent_id": wake.agent_id}, minimum_level=Role.ADMIN.level),
    )
