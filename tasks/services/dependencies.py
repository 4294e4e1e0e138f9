"""What a task needs before it can start. Cycles are refused, whoever writes at the same time."""

from __future__ import annotations

from django.db import connection

from accounts.errors import InvalidInput
from tasks import visibility
from tasks.authors import Author
from tasks.errors import Cycle
from tasks.models import Task, TaskDependency

REACHES = """
with recursive below as (
    select needs_id from tasks_taskdependency where task_id = any(%s)
    union
    select d.needs_id from tasks_taskdependency d join below b on d.task_id = b.needs_id)
select exists (select 1 from below where needs_id = %s)
"""


def set_needs(author: Author, task: Task, numbers: list[int]) -> bool:
    """Replace what a task needs; say whether anything changed. The caller holds `lock_graph`.

    What it needs already may stay although the author cannot see it. Raises InvalidInput and Cycle.
    """
    wanted = dict(visibility.tasks(author).filter(number__in=numbers).values_list("number", "pk"))
    kept = {
        row.needs.number: row.needs_id
        for row in TaskDependency.objects.filter(task=task).select_related("needs")
    }
    wanted |= {number: pk for number, pk in kept.items() if number in numbers}
    missing = [number for number in numbers if number not in wanted]
    if missing:
        raise InvalidInput(f"There is no task #{missing[0]}.", field="needs")
    if task.pk in wanted.values():
        raise Cycle(f"Task #{task.number} cannot need itself.")
    if wanted == kept:
        return False
    new = [pk for number, pk in wanted.items() if number not in kept]
    if new and _reaches(new, task.pk):
        raise Cycle(f"That would make a circle: one of them waits for task #{task.number}, directly or not.")
    TaskDependency.objects.filter(task=task).exclude(needs_id__in=wanted.values()).delete()
    TaskDependency.objects.bulk_create(
        TaskDependency(organization_id=task.organization_id, task=task, needs_id=pk) for pk in new
    )
    return True


def _reaches(starts: list[int], end: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(REACHES, [starts, end])
        return bool(cursor.fetchone()[0])
