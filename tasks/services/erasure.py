"""Erasing what the board and the goals keep of a person.

Gone are their comments, what they wrote into a field of a task with what was made of it since, the goals they wrote,
their words in approvals, and the words of what agents proposed for them or, once it has ended, in conversations they were
in. Numbers, states and who decided when stay. Notices that could quote any of it go as a whole.
"""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import Person
from messaging.models import Message, Participant
from realtime.models import Notice
from realtime.services import unit_of_work
from tasks.models import (
    PENDING_STATES,
    Approval,
    Audience,
    Decision,
    Goal,
    GoalStatus,
    Schedule,
    Task,
    TaskComment,
    TaskRevision,
    TaskState,
)
from tasks.services.approvals.erasure import blank
from tasks.services.proposals.following import follow

ERASED = "[erased]"
WORDS = ("title", "description", "subtasks", "metadata", "blocked_reason")
BLANK: dict[str, Any] = {
    "title": ERASED,
    "description": "",
    "subtasks": [],
    "metadata": {},
    "blocked_reason": "",
}
ENDED = (TaskState.DONE, TaskState.FAILED)


def erase(organization_id: int, person_id: int) -> int:
    """Erase them and return how many rows it were. Twice changes nothing."""
    user_id, rooms = _who(organization_id, person_id)
    with unit_of_work():
        whole = list(_whole_tasks(organization_id, user_id, person_id, rooms))
        goals = list(_goals(organization_id, user_id, rooms))
        for task in whole:
            _empty_task(task)
        for goal in goals:
            _empty_goal(goal)
        count = _erase_comments(organization_id, user_id)
        count += sum(_erase_fields(task, user_id) for task in _written(organization_id, user_id))
        _erase_said(organization_id, user_id)
        notices = _notices(organization_id, user_id, rooms).delete()[0]
    return count + len(whole) + len(goals) + notices


def count(organization_id: int, person_id: int) -> int:
    user_id, rooms = _who(organization_id, person_id)
    return (
        _whole_tasks(organization_id, user_id, person_id, rooms).count()
        + _goals(organization_id, user_id, rooms).count()
        + _comments(organization_id, user_id).count()
        + _notices(organization_id, user_id, rooms).count()
    )


def _who(organization_id: int, person_id: int) -> tuple[int, set[int]]:
    """Return the person's user, 0 for none, and the conversations they were in or spoke in."""
    user_id = Person.objects.filter(pk=person_id).values_list("user_id", flat=True).first() or 0
    told: tuple[QuerySet[Any], ...] = (
        Participant.objects.filter(organization_id=organization_id, person_id=person_id),
        Message.objects.filter(organization_id=organization_id, person_id=person_id),
    )
    return user_id, {room for rows in told for room in rows.values_list("conversation_id", flat=True)}


def _comments(organization_id: int, user_id: int) -> QuerySet[TaskComment]:
    rows = TaskComment.objects.filter(organization_id=organization_id, author_user_id=user_id)
    return rows.exclude(text=ERASED)


def _erase_comments(organization_id: int, user_id: int) -> int:
    return _comments(organization_id, user_id).update(text=ERASED)


def _written(organization_id: int, user_id: int) -> QuerySet[Task]:
    wrote = TaskRevision.objects.filter(organization_id=organization_id, author_user_id=user_id)
    return Task.objects.filter(pk__in=wrote.values("task")).select_for_update(no_key=True, of=("self",))


def _erase_fields(task: Task, user_id: int) -> int:
    """Blank each field from the revision on in which the person first wrote it; say whether that changed anything."""
    tainted: set[str] = set()
    before: dict[str, Any] = {}
    changed = 0
    for revision in task.revisions.order_by("number"):
        kept = revision.snapshot
        if revision.author_user_id == user_id:
            tainted |= {name for name in WORDS if kept.get(name) and kept.get(name) != before.get(name)}
            revision.summary = ""
        before = dict(kept)
        blanked = {**kept, **{name: BLANK[name] for name in tainted}}
        if blanked != kept or revision.author_user_id == user_id:
            changed |= blanked != kept
            revision.snapshot = blanked
            revision.save(update_fields=["snapshot", "summary"])
    values = {name: BLANK[name] for name in tainted if getattr(task, name) != BLANK[name]}
    if values:
        Task.objects.filter(pk=task.pk).update(**values)
        task.refresh_from_db()
        follow(task, reason="its words were erased")
    _blank_approvals(task.approvals.all())
    return changed


def _whole_tasks(organization_id: int, user_id: int, person_id: int, rooms: set[int]) -> QuerySet[Task]:
    theirs = Q(requester_user_id=user_id) | Q(requester_person_id=person_id)
    ended = Q(state__in=ENDED) | Q(archived_at__isnull=False)
    return Task.objects.filter(
        theirs | (Q(conversation_id__in=rooms) & ended),
        organization_id=organization_id,
        audience=Audience.CONVERSATION,
    ).exclude(title=ERASED)


def _empty_task(task: Task) -> None:
    values = {**BLANK, "decision_note": "", "archived_at": task.archived_at or timezone.now()}
    Task.objects.filter(pk=task.pk).update(**values)
    for revision in task.revisions.all():
        TaskRevision.objects.filter(pk=revision.pk).update(
            snapshot={**revision.snapshot, **BLANK}, summary=""
        )
    task.comments.update(text=ERASED)
    task.attempts.update(summary="")
    task.refresh_from_db()
    follow(task, reason="it was erased")
    _blank_approvals(task.approvals.all())


def _goals(organization_id: int, user_id: int, rooms: set[int]) -> QuerySet[Goal]:
    private = Q(audience=Audience.CONVERSATION, conversation_id__in=rooms) & ~Q(status=GoalStatus.PROPOSED)
    rows = Goal.objects.filter(Q(created_by_user_id=user_id) | private, organization_id=organization_id)
    return rows.exclude(title=ERASED)


def _empty_goal(goal: Goal) -> None:
    Goal.objects.filter(pk=goal.pk).update(title=ERASED, description="", notes="")
    goal.refresh_from_db()
    follow(goal, reason="it was erased")
    _blank_approvals(goal.approvals.all())


def _blank_approvals(rows: QuerySet[Approval]) -> None:
    """Take the words out of what is closed, and what was before out of what is open: that asks for what is left."""
    blank(rows)
    for row in rows.filter(state__in=PENDING_STATES):
        row.preview = [part for part in row.preview if part.get("form") != "diff"]
        row.save(update_fields=["preview"])


def _erase_said(organization_id: int, user_id: int) -> None:
    """Take what the person said while deciding out of approvals and tasks; that they decided stays."""
    Decision.objects.filter(organization_id=organization_id, user_id=user_id).update(comment="")
    Task.objects.filter(organization_id=organization_id, decided_by_id=user_id).update(decision_note="")
    for approval in Approval.objects.filter(
        Q(decisions__user_id=user_id) | Q(discussion__contains=[{"user_id": user_id}]),
        organization_id=organization_id,
    ).distinct():
        said = [
            {**entry, "text": ERASED, "name": ""} if entry.get("user_id") == user_id else entry
            for entry in approval.discussion
        ]
        rejected = approval.decisions.filter(user_id=user_id, verdict="reject").exists()
        Approval.objects.filter(pk=approval.pk).update(
            discussion=said, reason="" if rejected else F("reason")
        )


def _notices(organization_id: int, user_id: int, rooms: set[int]) -> QuerySet[Notice]:
    gone = Q(user_id=user_id) | Q(conversation_id__in=rooms)
    for kind, model in (("task", Task), ("goal", Goal)):
        ids = model.objects.filter(organization_id=organization_id, title=ERASED).values_list("pk", flat=True)
        keys = [key for pk in ids for key in (f"{kind}:{pk}", f"approval:{kind}:{pk}")]
        gone |= Q(key__in=keys)
    ended = Schedule.objects.filter(organization_id=organization_id, prompt=ERASED).values_list(
        "pk", flat=True
    )
    gone |= Q(key__in=[key for pk in ended for key in (f"schedule:{pk}", f"approval:schedule:{pk}")])
    return Notice.objects.filter(gone, organization_id=organization_id)
