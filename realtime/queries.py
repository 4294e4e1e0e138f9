"""Reading stored events."""

from __future__ import annotations

from typing import Any

from accounts.actor import Actor
from realtime.access import READ_SCOPE, ask_gate
from realtime.frames import Frame, client_text, dump_json
from realtime.models import Event, EventCounter

COLUMNS = ("number", "kind", "conversation_id", "user_id", "minimum_level", "payload", "created_at")


def last_number(organization_id: int) -> int:
    """Return the number of the organization's newest event, 0 before the first."""
    found = EventCounter.objects.filter(pk=organization_id).values_list("last_number", flat=True).first()
    return found or 0


def last_numbers(organization_ids: list[int]) -> dict[int, int]:
    rows = EventCounter.objects.filter(pk__in=organization_ids)
    return dict(rows.values_list("organization_id", "last_number"))


def list_frames(organization_id: int, after: int, until: int, limit: int) -> list[Frame]:
    """Return the frames numbered `after` < number ≤ `until`, the oldest first.

    Numbers have no holes, so a first frame that is not `after + 1` means that older ones were pruned.
    """
    rows = Event.objects.filter(organization_id=organization_id, number__gt=after, number__lte=until)
    return [_frame(*row) for row in rows.order_by("number").values_list(*COLUMNS)[:limit]]


def _frame(
    number: int,
    kind: str,
    conversation_id: int | None,
    user_id: int | None,
    level: int,
    payload: Any,
    at: Any,
) -> Frame:
    text = client_text(
        number=number, kind=kind, payload_json=dump_json(payload), conversation_id=conversation_id, at=at
    )
    return Frame(number, kind, conversation_id, user_id, level, text)


def list_events(
    actor: Actor, *, after: int = 0, limit: int = 100, conversation_id: int | None = None
) -> tuple[list[Frame], int | None]:
    """Return what the actor may see after a number, and the number to go on from (None at the end)."""
    actor.check_scope(READ_SCOPE)
    rows = Event.objects.filter(
        organization_id=actor.organization.pk, number__gt=after, minimum_level__lte=actor.level
    )
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    frames = [_frame(*row) for row in rows.order_by("number").values_list(*COLUMNS)[: limit + 1]]
    more, frames = len(frames) > limit, frames[:limit]
    answers: dict[int, bool] = {}
    seen = []
    for frame in frames:
        if frame.user_id is not None and frame.user_id != actor.user.pk:
            continue
        number = frame.conversation_id
        if number is not None and number not in answers:
            answers[number] = ask_gate(actor.user.pk, number)
        if number is None or answers[number]:
            seen.append(frame)
    return seen, frames[-1].number if more else None
