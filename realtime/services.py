"""Recording events: numbered and stored with what they tell about, published after the commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from realtime import bus
from realtime.frames import ACCESS_CHANGED, Frame, client_text, dump_json

PRUNE_BATCH = 5_000


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something to tell. With `conversation_id`, only those who may read that conversation hear it;
    with `user_id`, only that user; else every member of at least `minimum_level`."""

    kind: str
    payload: dict[str, Any]
    conversation_id: int | None = None
    user_id: int | None = None
    minimum_level: int = 1


@dataclass(slots=True)
class _Unit:
    events: list[tuple[int, NewEvent]] = field(default_factory=list)


class _Current(threading.local):
    unit: _Unit | None = None


_current = _Current()


@contextmanager
def unit_of_work(*, savepoint: bool = True) -> Iterator[None]:
    """Open a transaction that collects events.

    The outermost unit numbers and stores them all in one statement as its last act, so that the counter's
    row lock is held only for the commit, and publishes them after it. Events of an inner unit that failed
    are forgotten with it. `savepoint=False` saves an inner unit two round trips; its failure then fails the
    whole.
    """
    outer = _current.unit
    if outer is not None:
        kept = len(outer.events)
        try:
            with transaction.atomic(savepoint=savepoint):
                yield
        except BaseException:
            del outer.events[kept:]
            raise
        return
    unit = _current.unit = _Unit()
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
            if unit.events:
                _store(unit.events)
    finally:
        _current.unit = None


def record(organization_id: int, *events: NewEvent) -> None:
    """Store events with the current unit of work, or in a transaction of their own."""
    new = [(organization_id, event) for event in events]
    if _current.unit is not None:
        _current.unit.events += new
    elif new:
        with transaction.atomic():
            _store(new)


def publish_transient(organization_id: int, event: NewEvent) -> None:
    """Send an event that is not stored, now. Who is away never hears of it. Never blocks or fails."""
    bus.publish(organization_id, _frame(event, None, dump_json(event.payload), timezone.now()))


def announce_access_change(organization_id: int, user_id: int) -> None:
    """Make web processes check at once whether the user may still listen."""
    bus.publish(organization_id, Frame(None, ACCESS_CHANGED, None, user_id, 1, "{}"))


STORE = """
WITH new AS (
    SELECT (item->>'o')::bigint AS organization_id, item, place,
           row_number() OVER (PARTITION BY item->>'o' ORDER BY place) AS nth
    FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS listed(item, place)
), counted AS (
    INSERT INTO realtime_eventcounter AS counter (organization_id, last_number)
    SELECT organization_id, count(*) FROM new GROUP BY organization_id ORDER BY organization_id
    ON CONFLICT (organization_id) DO UPDATE SET last_number = counter.last_number + excluded.last_number
    RETURNING organization_id, last_number
), totals AS (
    SELECT organization_id, count(*) AS total FROM new GROUP BY organization_id
), stored AS (
    INSERT INTO realtime_event
        (organization_id, number, kind, conversation_id, user_id, minimum_level, payload, created_at)
    SELECT new.organization_id, counted.last_number - totals.total + new.nth, item->>'k',
           (item->>'c')::bigint, (item->>'u')::bigint, (item->>'l')::smallint, item->'p', %s
    FROM new JOIN counted USING (organization_id) JOIN totals USING (organization_id)
    ORDER BY place
)
SELECT counted.organization_id, last_number - total FROM counted JOIN totals USING (organization_id)
"""


def _store(events: list[tuple[int, NewEvent]]) -> None:
    """Number and insert the events in one round trip; publish them after the commit."""
    at = timezone.now()
    payloads = [dump_json(event.payload) for _, event in events]
    listed = ",".join(
        f'{{"o":{organization_id},"k":{dump_json(event.kind)},"c":{_number(event.conversation_id)},'
        f'"u":{_number(event.user_id)},"l":{event.minimum_level},"p":{payload}}}'
        for (organization_id, event), payload in zip(events, payloads, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(STORE, [f"[{listed}]", at])
        last: dict[int, int] = dict(cursor.fetchall())
    frames: dict[int, list[Frame]] = {organization_id: [] for organization_id in last}
    for (organization_id, event), payload in zip(events, payloads, strict=True):
        last[organization_id] += 1
        frames[organization_id].append(_frame(event, last[organization_id], payload, at))
    transaction.on_commit(partial(_publish_all, frames), robust=True)


def _publish_all(frames: dict[int, list[Frame]]) -> None:
    for organization_id, told in frames.items():
        bus.publish(organization_id, *told)


def _number(value: int | None) -> str:
    return "null" if value is None else str(int(value))


def _frame(event: NewEvent, number: int | None, payload_json: str, at: datetime) -> Frame:
    text = client_text(
        number=number,
        kind=event.kind,
        payload_json=payload_json,
        conversation_id=event.conversation_id,
        at=at,
    )
    return Frame(number, event.kind, event.conversation_id, event.user_id, event.minimum_level, text)


def prune(*, older_than_days: int) -> int:
    """Delete old events in batches; return how many. Clients that ask for them are told to read again."""
    before = timezone.now() - timedelta(days=older_than_days)
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM realtime_event WHERE id IN"
                " (SELECT id FROM realtime_event WHERE created_at < %s ORDER BY id LIMIT %s)",
                [before, PRUNE_BATCH],
            )
            count: int = cursor.rowcount
        removed += count
        if count < PRUNE_BATCH:
            return removed
