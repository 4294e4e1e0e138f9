"""Writing checkpoints: always under the conversation's lock, always onto the head that was read."""

from __future__ import annotations

from collections.abc import Sequence

from agents.context.checkpoints import load_past
from agents.context.history import Line, clean_name
from agents.models import LIVE_STATES, Checkpoint, Run, RunKind
from agents.payloads import checkpoint_payload
from agents.services import happenings
from realtime.services import NewEvent, record

ROLL_UP_AT = 12
ROLL_UP = 8
EXCERPT = 90


def add_checkpoint(
    run: Run | None,
    *,
    organization_id: int,
    conversation_id: int,
    from_seq: int,
    to_seq: int,
    title: str,
    summary: str,
) -> Checkpoint | None:
    """Add a checkpoint of messages if it begins right after the head; None when somebody was faster.

    The caller holds the conversation's row. Records `checkpoint.created`.
    """
    if load_past(conversation_id).head_seq != from_seq - 1:
        return None
    row = Checkpoint.objects.create(
        organization_id=organization_id,
        conversation_id=conversation_id,
        from_seq=from_seq,
        to_seq=to_seq,
        title=_title(title, from_seq, to_seq),
        summary=summary,
        run=run,
    )
    _tell(row)
    happenings.checkpoint_made(row)
    return row


def roll_up(run: Run, *, rows: Sequence[Checkpoint], title: str, summary: str) -> Checkpoint | None:
    """Let one checkpoint of a higher level stand for `rows`; None when one of them was rolled up meanwhile."""
    ids = [row.pk for row in rows]
    if Checkpoint.objects.filter(pk__in=ids, rolled_into=None).count() != len(ids):
        return None
    first, last = rows[0], rows[-1]
    made = Checkpoint.objects.create(
        organization_id=first.organization_id,
        conversation_id=first.conversation_id,
        level=first.level + 1,
        from_seq=first.from_seq,
        to_seq=last.to_seq,
        title=_title(title, first.from_seq, last.to_seq),
        summary=summary,
        run=run,
    )
    Checkpoint.objects.filter(pk__in=ids).update(rolled_into=made)
    return made


def due_for_roll_up(conversation_id: int) -> list[Checkpoint]:
    """Return the oldest checkpoints of the lowest level that has too many, in order; [] while none has."""
    rows = list(
        Checkpoint.objects.filter(conversation_id=conversation_id, rolled_into=None).order_by(
            "level", "from_seq"
        )
    )
    for level in sorted({row.level for row in rows}):
        same = [row for row in rows if row.level == level]
        if len(same) >= ROLL_UP_AT:
            return same[:ROLL_UP]
    return []


def excerpt(lines: Sequence[Line], *, most_lines: int = 24) -> str:
    """Return a summary made without a model: the beginnings of messages spread over the range."""
    step = max(1, -(-len(lines) // most_lines))
    parts = [f"{clean_name(line.author)}: {' '.join(line.text.split())[:EXCERPT]}" for line in lines[::step]]
    return (
        "Set aside without a summary; it can be read through the history. It began like this:\n"
        + "\n".join(parts)
    )


def has_live_compaction(conversation_id: int) -> bool:
    return Run.objects.filter(
        conversation_id=conversation_id, kind=RunKind.COMPACTION, state__in=LIVE_STATES
    ).exists()


def _title(title: str, from_seq: int, to_seq: int) -> str:
    return " ".join(title.split())[:80] or f"Messages {from_seq} to {to_seq}"


def _tell(row: Checkpoint) -> None:
    payload = {"checkpoint": checkpoint_payload(row)}
    record(row.organization_id, NewEvent("checkpoint.created", payload, conversation_id=row.conversation_id))
