"""Reads. The actor comes first; rows of other organizations, and those the actor may not see, are NotFound."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from messaging.queries import conversations_of
from tasks import visibility
from tasks.authors import Author, by_person
from tasks.models import (
    Attempt,
    Goal,
    GoalStatus,
    Priority,
    Task,
    TaskComment,
    TaskDependency,
    TaskRevision,
    TaskState,
)
from tasks.snapshots import Holder

PRIORITY_STEP = 10**15
"""Makes one number of priority and task number, by which pages are cut."""


def readable_tasks(author: Author) -> QuerySet[Task]:
    """Return the tasks an author may see, with what a payload shows of each."""
    return visibility.tasks(author).select_related(
        "goal", "owner_user", "assignee_user", "requester_user", "requester_person", "decided_by", "created_by_user"
    ).prefetch_related(
        Prefetch("dependencies", TaskDependency.objects.select_related("needs").order_by("needs__number")),
        Prefetch("attempts", Attempt.objects.order_by("number")),
    )  # fmt: skip


def get_task(actor: Actor, number: int) -> Task:
    return find_task(by_person(actor), number)


def find_task(author: Author, number: int) -> Task:
    """Return a task by its number, for any author. Raises NotFound."""
    task = readable_tasks(author).filter(number=number).first()
    if task is None:
        raise NotFound(f"There is no task #{number}.")
    return task


@dataclass(frozen=True)
class TaskFilter:
    states: tuple[str, ...] = ()
    assignee: Holder | None = None
    owner: Holder | None = None
    goal_id: int | None = None
    priority: Priority | None = None
    search: str = ""
    archived: bool = False


def filter_tasks(rows: QuerySet[Task], wanted: TaskFilter) -> QuerySet[Task]:
    rows = rows.filter(archived_at__isnull=not wanted.archived)
    if wanted.states:
        rows = rows.filter(state__in=wanted.states)
    for field, held in (("assignee", wanted.assignee), ("owner", wanted.owner)):
        if held is not None:
            column = f"{field}_user_id" if held.kind == "person" else f"{field}_agent_id"
            rows = rows.filter(**{column: held.id})
    if wanted.goal_id is not None:
        rows = rows.filter(goal_id=wanted.goal_id)
    if wanted.priority is not None:
        rows = rows.filter(priority=wanted.priority)
    for word in wanted.search.split()[:10]:
        found = Q(title__icontains=word) | Q(description__icontains=word)
        digits = word.removeprefix("#")
        if digits.isascii() and digits.isdecimal() and len(digits) < 15:
            found |= Q(number=int(digits))
        rows = rows.filter(found)
    return rows


def list_tasks(
    actor: Actor,
    wanted: TaskFilter,
    *,
    newest_first: bool = False,
    cursor: int | None = None,
    limit: int = 50,
) -> list[Task]:
    """Return tasks by priority and then number, or the newest first; `cursor` is `cursor_of` the last one seen."""
    return page_of_tasks(by_person(actor), wanted, newest_first=newest_first, cursor=cursor, limit=limit)


def page_of_tasks(
    author: Author,
    wanted: TaskFilter,
    *,
    newest_first: bool = False,
    cursor: int | None = None,
    limit: int = 50,
) -> list[Task]:
    rows = filter_tasks(readable_tasks(author), wanted)
    if newest_first:
        rows = rows.filter(number__lt=cursor) if cursor is not None else rows
        return list(rows.order_by("-number")[:limit])
    if cursor is not None:
        priority, number = divmod(cursor, PRIORITY_STEP)
        rows = rows.filter(Q(priority__gt=priority) | Q(priority=priority, number__gt=number))
    return list(rows.order_by("priority", "number")[:limit])


def cursor_of(task: Task, *, newest_first: bool = False) -> int:
    return task.number if newest_first else task.priority * PRIORITY_STEP + task.number


def count_by_state(actor: Actor, wanted: TaskFilter) -> dict[str, int]:
    """Return how many tasks stand in each column."""
    rows = filter_tasks(visibility.tasks(by_person(actor)), wanted).order_by()
    return dict(rows.values_list("state").annotate(Count("id")))


def list_waiting_and_mine(actor: Actor, *, limit: int = 8) -> tuple[list[Task], list[Task]]:
    """Return the tasks that wait for a decision the actor may take, and the open ones that the actor is to do."""
    from tasks.transitions import capacities, may_decide

    author = by_person(actor)
    mine = TaskFilter(
        states=(TaskState.IN_PROGRESS, TaskState.BLOCKED, TaskState.READY, TaskState.BACKLOG),
        assignee=Holder("person", actor.user.pk),
    )
    seen = visibility.tasks(author).order_by("priority", "number")
    waiting = filter_tasks(seen, TaskFilter(states=(TaskState.PENDING_APPROVAL,))).values("pk")[:200]
    rows = readable_tasks(author).filter(
        Q(pk__in=waiting) | Q(pk__in=filter_tasks(seen, mine).values("pk")[:limit])
    )
    found = list(rows.order_by("priority", "number"))
    proposed = [task for task in found if task.state == TaskState.PENDING_APPROVAL]
    decidable = [task for task in proposed if may_decide(capacities(author, task))]
    return decidable[:limit], [task for task in found if task.state != TaskState.PENDING_APPROVAL]


def blocked_by(task: Task) -> list[Task]:
    """Return what the task needs and is not done yet. No query on rows of `readable_tasks`."""
    return [each.needs for each in task.dependencies.all() if each.needs.state != TaskState.DONE]


def open_attempt(task: Task) -> Attempt | None:
    """Return the attempt that is under way. No query on rows of `readable_tasks`."""
    return next((each for each in task.attempts.all() if each.ended_at is None), None)


def list_comments(
    actor: Actor, number: int, *, after: int | None = None, limit: int = 100
) -> list[TaskComment]:
    """Return a task's comments, oldest first; `after` is the id where the page before ended."""
    task = get_task(actor, number)
    rows = TaskComment.objects.filter(task=task).select_related("author_user")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("id")[:limit])


def list_revisions(
    actor: Actor, number: int, *, before: int | None = None, limit: int = 50
) -> list[TaskRevision]:
    """Return a task's revisions, newest first."""
    task = get_task(actor, number)
    rows = TaskRevision.objects.filter(task=task).select_related("author_user")
    if before is not None:
        rows = rows.filter(number__lt=before)
    return list(rows.order_by("-number")[:limit])


def get_revision(author: Author, task_number: int, revision: int) -> TaskRevision:
    task = find_task(author, task_number)
    found = TaskRevision.objects.filter(task=task, number=revision).select_related("author_user").first()
    if found is None:
        raise NotFound(f"Task #{task_number} has no revision {revision}.")
    return found


def list_dependents(actor: Actor, task: Task) -> list[Task]:
    """Return the tasks that wait for this one, of those the actor may see."""
    return list(visibility.tasks(by_person(actor)).filter(dependencies__needs=task).order_by("number"))


def visible_titles(author: Author, task_ids: list[int]) -> dict[int, str]:
    """Return the titles of those tasks that the author may see."""
    return dict(visibility.tasks(author).filter(pk__in=task_ids).values_list("pk", "title"))


def readable_goals(author: Author) -> QuerySet[Goal]:
    return visibility.goals(author).select_related("owner_user", "parent", "created_by_user")


def get_goal(actor: Actor, goal_id: int) -> Goal:
    return find_goal(by_person(actor), goal_id)


def find_goal(author: Author, goal_id: int) -> Goal:
    goal = readable_goals(author).filter(pk=goal_id).first()
    if goal is None:
        raise NotFound("There is no such goal.")
    return goal


def list_goals(
    author: Author,
    *,
    statuses: tuple[str, ...] = (),
    search: str = "",
    cursor: int | None = None,
    limit: int = 50,
) -> list[Goal]:
    """Return goals by priority, then the older first."""
    rows = readable_goals(author)
    if statuses:
        rows = rows.filter(status__in=statuses)
    for word in search.split()[:10]:
        rows = rows.filter(Q(title__icontains=word) | Q(description__icontains=word))
    if cursor is not None:
        priority, pk = divmod(cursor, PRIORITY_STEP)
        rows = rows.filter(Q(priority__gt=priority) | Q(priority=priority, pk__gt=pk))
    return list(rows.order_by("priority", "id")[:limit])


def goal_cursor(goal: Goal) -> int:
    return goal.priority * PRIORITY_STEP + goal.pk


def goal_choices(author: Author) -> list[Goal]:
    """Return the goals that a task can serve."""
    return list_goals(author, statuses=(GoalStatus.ACTIVE, GoalStatus.PAUSED, GoalStatus.PROPOSED), limit=200)


@dataclass(frozen=True)
class Progress:
    """Tasks of a goal that the author may see and that are not archived."""

    done: int
    total: int
    by_state: dict[str, int]

    @property
    def percent(self) -> int:
        return round(100 * self.done / self.total) if self.total else 0


def progress_of(author: Author, goal_ids: list[int]) -> dict[int, Progress]:
    """Return the progress of each goal; one query."""
    rows = visibility.tasks(author).filter(goal_id__in=goal_ids, archived_at=None).order_by()
    counts: dict[int, Counter[str]] = {goal_id: Counter() for goal_id in goal_ids}
    for goal_id, state, count in rows.values_list("goal_id", "state").annotate(Count("id")):
        if goal_id is not None:
            counts[goal_id][state] += count
    return {
        goal_id: Progress(by_state[TaskState.DONE], by_state.total(), dict(by_state))
        for goal_id, by_state in counts.items()
    }


def shown_conversations(actor: Actor, ids: set[int]) -> dict[int, str]:
    """Return the titles of those conversations that the actor may look into."""
    return dict(conversations_of(actor).filter(pk__in=ids).values_list("pk", "title")) if ids else {}
