"""Ringing: something happened, and the wakes that listen to it get an event, in the transaction that makes it true."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from accounts.models import Role
from realtime.services import NewEvent, record
from tasks.models import Happening

STORE = """
, woken as (
    insert into tasks_wakeevent as e (organization_id, wake_id, agent_id, key, state, count, tries, reason, first_at, last_at)
    select organization_id, id, agent_id, %(key)s, 'pending', 1, 0, '', now(), now() from heard
    on conflict (wake_id, key) where state = 'pending' do update set count = e.count + 1, last_at = now()
    returning id, organization_id
), kept as (
    insert into tasks_wakepayload (organization_id, event_id, payload, from_outside, created_at)
    select organization_id, id, %(payload)s::jsonb, %(outside)s, now() from woken
    returning 1
)
select count(*), min(organization_id) from woken
"""
HAPPENED = f"""
with heard as (
    select w.id, w.organization_id, w.agent_id from tasks_wake w
     where w.organization_id = %(organization)s and w.happening = %(happening)s and w.trigger = 'event' and w.enabled
       and (%(agents)s::bigint[] is null or w.agent_id = any (%(agents)s::bigint[]))
       and not w.agent_id = any (%(without)s::bigint[])
     order by w.id
){STORE}"""  # noqa: S608  only the constant above is put in
FIRED = f"""
with heard as (
    select w.id, w.organization_id, w.agent_id from tasks_wake w where w.id = %(wake)s
){STORE}"""  # noqa: S608  only the constant above is put in


def happened(
    organization_id: int,
    happening: Happening,
    *,
    key: str,
    payload: dict[str, Any],
    agent_ids: Iterable[int | None] | None = None,
    without: int | None = None,
) -> int:
    """Ring what listens to a happening, in the caller's transaction; return how many wakes heard it.

    One statement, and where any did one more for the queues that people look at.

    `agent_ids` limits it to those agents; `without` is the agent that did it, which need not be told. The payload names
    rows by number: whoever reads it asks for the row through its own door.
    """
    ids = None if agent_ids is None else sorted({each for each in agent_ids if each is not None})
    if ids == []:
        return 0
    values = {
        "organization": organization_id,
        "happening": str(happening),
        "agents": ids,
        "without": [] if without is None else [without],
    }
    return _ring(HAPPENED, values, key=key, payload=payload, outside=False)


def fire(wake_id: int, *, key: str = "", payload: Any, from_outside: bool = False) -> int:
    """Ring one wake: for its clock, its webhook, and a trial by hand."""
    return _ring(FIRED, {"wake": wake_id}, key=key, payload=payload, outside=from_outside)


def _ring(statement: str, values: dict[str, Any], *, key: str, payload: Any, outside: bool) -> int:
    text = json.dumps(payload).replace("\\u0000", "\\ufffd")  # The database keeps no NUL.
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "key": key[:120], "payload": text, "outside": outside})
        count, organization_id = cursor.fetchone()
    if count:
        rung = NewEvent("autonomy.changed", {"agent_id": None}, minimum_level=Role.ADMIN.level)
        record(organization_id, rung)
    return int(count)
