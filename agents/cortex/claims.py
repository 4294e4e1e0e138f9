"""Which jobs are due, and taking one: a conditional UPDATE, a lease, a fence that only rises."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from agents.engine.claims import lease_owner

FIRST_PAUSE_S = 60
LONGEST_PAUSE_S = 6 * 3_600

DUE = """
select a.organization_id, a.id, n.name
  from agents_agent a cross join unnest(%s::text[]) as n(name)
  left join agents_cortexjob j on j.agent_id = a.id and j.name = n.name
 where a.enabled and (j.id is null or (j.due_at <= now() and coalesce(j.lease_expires_at, '-infinity') < now()))
 order by j.due_at nulls first, a.id, n.name
 limit %s
"""


@dataclass(frozen=True)
class Due:
    organization_id: int
    agent_id: int
    name: str


@dataclass(frozen=True)
class Claimed:
    """A job that is ours until the lease ends. `lost_before`: whoever had it last went silent."""

    job_id: int
    fence: int
    failures: int
    cursor: dict[str, Any]
    lost_before: bool


def list_due(names: list[str], *, limit: int) -> list[Due]:
    """Return what is due for agents that are on, longest overdue first; one statement. New agents have no rows yet."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, [names, limit])
        return [Due(*row) for row in cursor.fetchall()]


CREATE = """
insert into agents_cortexjob (organization_id, agent_id, name, due_at, lease_owner, fence, failures, cursor, result)
select organization_id, id, %(name)s, now(), '', 0, 0, '{}', '{}' from agents_agent where id = %(agent)s
on conflict (agent_id, name) do nothing
"""

# A lease that ran out with its owner still in the row was lost: the pass died or hangs, which counts as a failure.
CLAIM = """
update agents_cortexjob j
   set lease_owner = %(owner)s, lease_expires_at = now() + %(lease)s * interval '1 second',
       fence = j.fence + 1, last_started_at = now(), failures = j.failures + (j.lease_owner <> '')::int
  from (select id, lease_owner from agents_cortexjob where agent_id = %(agent)s and name = %(name)s for update) as before
 where j.id = before.id and j.due_at <= now() and coalesce(j.lease_expires_at, '-infinity') < now()
returning j.id, j.fence, j.failures, j.cursor, before.lease_owner <> ''
"""


def claim(due: Due, *, lease: timedelta) -> Claimed | None:
    """Take a job that is due. None: somebody else has it, or had it a moment ago."""
    values: dict[str, str | float] = {
        "owner": lease_owner(),
        "lease": lease.total_seconds(),
        "agent": due.agent_id,
        "name": due.name,
    }
    with connection.cursor() as cursor:
        cursor.execute(CREATE, values)
        cursor.execute(CLAIM, values)
        row = cursor.fetchone()
    if row is None:
        return None
    job_id, fence, failures, cursor_text, lost = row
    return Claimed(job_id, fence, failures, json.loads(cursor_text), lost)


FINISH = """
update agents_cortexjob
   set lease_owner = '', lease_expires_at = null, last_finished_at = now(), due_at = now() + %(pause)s * interval '1 second',
       failures = %(failures)s, result = %(result)s, cursor = coalesce(%(cursor)s, cursor)
 where id = %(job)s and fence = %(fence)s
"""


def finish(
    claimed: Claimed,
    *,
    pause: timedelta,
    failures: int,
    result: dict[str, Any],
    cursor: dict[str, Any] | None = None,
) -> bool:
    """Write what came of a pass; False when somebody took the job over, and what they write counts."""
    values: dict[str, str | float | None] = {
        "job": claimed.job_id,
        "fence": claimed.fence,
        "pause": pause.total_seconds(),
        "failures": min(failures, 1_000),
        "result": json.dumps(result),
        "cursor": None if cursor is None else json.dumps(cursor),
    }
    with connection.cursor() as db:
        db.execute(FINISH, values)
        return bool(db.rowcount)


HOLD = "select 1 from agents_cortexjob where id = %s and fence = %s for no key update"


def hold(job_id: int, fence: int) -> bool:
    """Keep the job from being taken over until the transaction ends; False when it was already."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [job_id, fence])
        return cursor.fetchone() is not None


def pause_after(failures: int) -> timedelta:
    """Return the wait after so many failures in a row: a minute, twice as long each time, six hours at most."""
    return timedelta(seconds=min(FIRST_PAUSE_S * 2 ** min(failures - 1, 20), LONGEST_PAUSE_S))
