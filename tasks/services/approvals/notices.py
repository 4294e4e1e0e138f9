"""Notices of approvals: those who could decide are told, whoever asked hears of questions; settled with the end.

Who takes part in the conversation reads what it is about. Others who may decide are told that something waits and no
more, because a notice stays when a role has gone.
"""

from __future__ import annotations

from accounts.models import Membership, Person, Role
from messaging.models import Participant
from realtime.models import NoticeKind
from realtime.notices.services import Subject, notify, settle
from tasks.models import Approval, ApprovalState, Audience, Verdict
from tasks.services.approvals.deciders import rule_now
from tasks.services.approvals.kinds import executor_for
from tasks.services.approvals.rules import Rule


def key_of(approval: Approval) -> str:
    """Return one key for all that is asked about the same proposal in turn."""
    about = approval.task_id or approval.goal_id or approval.schedule_id or approval.pk
    return f"approval:{approval.kind}:{about}"


def follow(approval: Approval) -> None:
    """Tell whom it waits for now; belongs into the transaction that changed it."""
    settle(approval.organization_id, key_of(approval))
    if approval.state == ApprovalState.OPEN:
        said = approval.decisions.filter(verdict=Verdict.APPROVE).values_list("user_id", flat=True)
        _tell(approval, deciders_of(approval) - set(said), "waits for your decision")
    elif approval.state == ApprovalState.ASKED_BACK and (user_id := _asker(approval)) is not None:
        _tell(approval, {user_id}, "was asked back")


def deciders_of(approval: Approval) -> set[int]:
    """Return the users who could decide at this moment; a few queries, however many there are."""
    rule = rule_now(approval)
    rows = Membership.objects.filter(organization_id=approval.organization_id, user__is_active=True)
    levels = {row.user_id: row.level for row in rows.exclude(role=Role.AGENT)}
    here = _here(approval)
    found = {
        user_id
        for user_id, level in levels.items()
        if level >= rule.minimum_role.level
        and (level >= Role.MODERATOR.level or approval.conversation_id is None or user_id in here)
    }
    readers = _readers(approval, rule, here)
    found = found if readers is None else found & readers
    if (asker := _asker(approval)) in levels and asker is not None:
        if rule.four_eyes:
            found.discard(asker)
        elif rule.own:
            found.add(asker)
    return found


def _readers(approval: Approval, rule: Rule, here: set[int]) -> set[int] | None:
    """Return who sees a proposal of few; None where the role alone says it. See `queries.approvals`."""
    task, goal = approval.task, approval.goal
    if rule.ruled or not approval.is_proposal:
        return None
    if task is not None:
        holders = {task.requester_user_id, task.owner_user_id, task.assignee_user_id}
        return here | _known(holders) if task.audience == Audience.CONVERSATION else None
    if goal is not None:
        holders = {goal.owner_user_id, goal.created_by_user_id}
        return here | _known(holders) if goal.audience == Audience.CONVERSATION else None
    return here


def _known(users: set[int | None]) -> set[int]:
    return {user for user in users if user is not None}


def _here(approval: Approval) -> set[int]:
    if approval.conversation_id is None:
        return set()
    rows = Participant.objects.filter(
        conversation_id=approval.conversation_id, person__user__isnull=False
    ).values_list("person__user_id", flat=True)
    return _known(set(rows))


def _asker(approval: Approval) -> int | None:
    if approval.requester_user_id is not None:
        return approval.requester_user_id
    found = Person.objects.filter(pk=approval.requester_person_id or 0).values_list("user_id", flat=True)
    return found.first()


def _tell(approval: Approval, users: set[int], what: str) -> None:
    label = executor_for(approval.kind).label
    inside = users if approval.conversation_id is None else users & _here(approval)
    _notify(approval, inside, f"{label} {what}: {approval.title}", approval.conversation_id)
    _notify(approval, users - inside, f"{label} {what}", None)


def _notify(approval: Approval, users: set[int], title: str, conversation_id: int | None) -> None:
    notify(
        approval.organization_id,
        users,
        kind=NoticeKind.APPROVAL,
        key=key_of(approval),
        title=title,
        subject=Subject("approval", approval.pk),
        conversation_id=conversation_id,
    )
