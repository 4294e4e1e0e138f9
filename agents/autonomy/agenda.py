"""What there is to do for an agent by itself: keys of rows as others have left them.

A key holds the last revision that somebody else made, so an agent's own words are nothing new to it. What its last good run
had before it and left alone is not put before it again until somebody changes it: idling costs no model call.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from agents.models import Autonomy
from tasks.models import Level

STARTABLE = """
t.state = 'ready' and (t.assignee_agent_id = %(agent)s
        or (%(claims)s and t.assignee_agent_id is null and t.assignee_user_id is null and t.audience = 'organization'))
    and not exists (select 1 from tasks_attempt a where a.task_id = t.id and a.ended_at is null)
    and not exists (select 1 from tasks_taskdependency d join tasks_task n on n.id = d.needs_id
        where d.task_id = t.id and n.state <> 'done')
"""
AGENDA = f"""
with mine as (
    select t.*, (select coalesce(max(r.number), 0) from tasks_taskrevision r
        where r.task_id = t.id and not (r.author_kind = 'agent' and r.author_agent_id = %(agent)s)) as seen
      from tasks_task t
     where t.organization_id = %(organization)s and t.archived_at is null
       and t.state in ('ready', 'blocked', 'failed')
)
select 'task:' || t.id || ':ready:' || t.seen from mine t where %(acts)s and {STARTABLE}
union all
select 'task:' || t.id || ':' || t.state || ':' || t.seen from mine t
 where t.state in ('blocked', 'failed') and t.assignee_agent_id = %(agent)s and t.audience = 'organization'
union all
select 'goal:' || g.id || ':empty' from tasks_goal g
 where g.organization_id = %(organization)s and g.status = 'active' and g.audience = 'organization'
   and not exists (select 1 from tasks_task t where t.goal_id = g.id and t.archived_at is null)
union all
select 'goal:' || g.id || ':overdue' from tasks_goal g
 where g.organization_id = %(organization)s and g.status = 'active' and g.audience = 'organization'
   and g.due_on < (%(now)s::timestamptz)::date
order by 1
"""  # noqa: S608  only the condition above is put in


def read_agenda(row: Autonomy, level: Level, *, now: datetime) -> list[str]:
    """Return the keys; one query. Below `suggest` an agent has nothing to do but what it is woken for."""
    if level.rank < Level.SUGGEST.rank:
        return []
    values: dict[str, int | bool | datetime] = {
        "organization": row.organization_id,
        "agent": row.agent_id,
        "claims": row.claim_unowned,
        "acts": level == Level.ACT,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(AGENDA, values)
        return [str(key) for (key,) in cursor.fetchall()]
