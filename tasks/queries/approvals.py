"""Which approvals, grants and decisions an actor may see.

What an approval asks may quote a private conversation, so it shows to those who take part there, to who asked, and to
moderators and above whose role may decide it. One without a conversation shows to everyone whose role may decide it.
One of a proposed task, goal or schedule shows to those who may see that; also to the deciding role where the
organization has written a rule for it, because then whoever asked may be nobody who decides.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from messaging.models import Participant
from messaging.queries import conversations_of
from tasks import visibility
from tasks.authors import by_person
from tasks.models import PENDING_STATES, Approval, ApprovalRule, ApprovalState, Grant
from tasks.queries.schedules import schedules_of

OWN_KINDS = ("task", "schedule")
"""What whoever asked may decide too, where no rule says otherwise."""
SCOPES = {
    "task": "tasks:approve",
    "goal": "goals:write",
    "goal_change": "goals:write",
    "schedule": "schedules:write",
}
"""What a token needs to decide a kind; others need approvals:write."""

STATES = {
    "open": PENDING_STATES,
    "closed": tuple(state for state in ApprovalState if state not in PENDING_STATES),
}


def visible_approvals(actor: Actor) -> QuerySet[Approval]:
    reached = [role for role in Role if role.level <= actor.level]
    deciding = Q(minimum_role__in=reached)
    if not actor.has_level(Role.MODERATOR):
        deciding &= Q(conversation=None)
    here = Participant.objects.filter(
        conversation_id=OuterRef("conversation_id"), person__user_id=actor.user.pk
    )
    call = Q(task=None, goal=None, schedule=None)
    asked = deciding | Q(requester_user_id=actor.user.pk) | Exists(here)
    return (
        Approval.objects.filter(organization=actor.organization)
        .filter((call & asked) | _proposals(actor) | (~call & deciding & _ruled()))
        .select_related("conversation", "requester_user", "requester_person", "organization", "task")
    )


def _proposals(actor: Actor) -> Q:
    """Return the approvals of what the actor sees on the board, among the goals and in the schedule."""
    author = by_person(actor)
    return (
        Q(task__in=visibility.tasks(author).values("pk"))
        | Q(goal__in=visibility.goals(author).values("pk"))
        | Q(schedule__conversation__in=conversations_of(actor).values("pk"))
    )


def may_open(actor: Actor, approval: Approval) -> bool:
    """Say whether the actor may open what an approval is about, and it is still there."""
    if approval.schedule_id is not None:
        return schedules_of(actor).filter(pk=approval.schedule_id).exists()
    return approval.is_proposal and Approval.objects.filter(_proposals(actor), pk=approval.pk).exists()


def _ruled() -> Q:
    """Return the approvals for which the organization has, or had when they were asked for, a rule of its own."""
    fitting = ApprovalRule.objects.filter(
        Q(agent_id=None) | Q(agent_id=OuterRef("agent_id")),
        Q(kind="") | Q(kind=OuterRef("kind")),
        Q(subject="") | Q(subject=OuterRef("subject")),
        organization_id=OuterRef("organization_id"),
    )
    return Q(ruled=True) | Q(Exists(fitting))


def get_approval(actor: Actor, approval_id: int) -> Approval:
    approval = visible_approvals(actor).filter(pk=approval_id).first()
    if approval is None:
        raise NotFound("There is no such approval.")
    return approval


def list_approvals(
    actor: Actor,
    *,
    state: str = "",
    kind: str = "",
    subject: str = "",
    agent_id: int | None = None,
    conversation_id: int | None = None,
    run_id: int | None = None,
    goal_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Approval]:
    """Return approvals, newest first. `state` is one of theirs, or "open" (asked back too) or "closed"."""
    rows = visible_approvals(actor)
    if state:
        rows = rows.filter(state__in=STATES.get(state, (state,)))
    if kind:
        rows = rows.filter(kind=kind)
    if subject:
        rows = rows.filter(subject=subject)
    if agent_id is not None:
        rows = rows.filter(agent_id=agent_id)
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    if run_id is not None:
        rows = rows.filter(run_id=run_id)
    if goal_id is not None:
        rows = rows.filter(goal_id=goal_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-id")[:limit])


def decidable(actor: Actor) -> QuerySet[Approval]:
    """Return what waits for this actor: open, theirs to decide by the rule, not answered by them yet."""
    if actor.role == Role.AGENT:
        return Approval.objects.none()
    reached = [role for role in Role if role.level <= actor.level]
    own = Q(requester_user_id=actor.user.pk) | Q(requester_person__user_id=actor.user.pk)
    of_role = Q(minimum_role__in=reached)
    if not actor.has_level(Role.MODERATOR):
        here = Participant.objects.filter(person__user_id=actor.user.pk).values("conversation")
        of_role &= Q(conversation=None) | Q(conversation__in=here)
    said = Q(decisions__user_id=actor.user.pk, decisions__verdict="approve")
    return (
        visible_approvals(actor)
        .filter(of_role | (own & Q(kind__in=OWN_KINDS) & ~_ruled()))
        .filter(state__in=PENDING_STATES, expires_at__gt=timezone.now())
        .exclude(Q(four_eyes=True) & own)
        .exclude(pk__in=Approval.objects.filter(said, organization=actor.organization).values("pk"))
    )


def decidable_rows(actor: Actor, kind: str, ids: Collection[int]) -> set[int]:
    """Return which of these proposed tasks, goals or schedules wait for the actor; one query, or none for no ids."""
    if not ids or not may_decide_with(actor, kind):
        return set()
    rows = decidable(actor).filter(kind=kind, **{f"{kind}__in": ids})
    return set(rows.values_list(f"{kind}_id", flat=True))


def may_decide_with(actor: Actor, kind: str) -> bool:
    """Say whether the actor's token, if there is one, is for decisions of this kind."""
    return actor.scopes is None or SCOPES.get(kind, "approvals:write") in actor.scopes


def count_decidable(actor: Actor) -> int:
    return decidable(actor).count()


def list_rules_of(actor: Actor) -> list[ApprovalRule]:
    """Return the organization's rules of who decides. Changing them is for administrators, knowing them for everyone."""
    return list(ApprovalRule.objects.filter(organization=actor.organization))


def takes_part(actor: Actor, approval: Approval) -> bool:
    return (
        approval.conversation_id is not None
        and Participant.objects.filter(
            conversation_id=approval.conversation_id, person__user_id=actor.user.pk
        ).exists()
    )


def visible_grants(actor: Actor) -> QuerySet[Grant]:
    """Return grants: a moderator sees all, a member those of everywhere and of their conversations."""
    rows = Grant.objects.filter(organization=actor.organization).select_related("given_by", "conversation")
    if not actor.has_level(Role.MODERATOR):
        here = Participant.objects.filter(
            conversation_id=OuterRef("conversation_id"), person__user_id=actor.user.pk
        )
        rows = rows.filter(Q(conversation=None) | Exists(here))
    return rows.order_by("-id")


def get_grant(actor: Actor, grant_id: int) -> Grant:
    grant = visible_grants(actor).filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such grant.")
    return grant


def list_grants(
    actor: Actor, *, usable: bool = False, before: int | None = None, limit: int = 50
) -> list[Grant]:
    rows = visible_grants(actor)
    if usable:
        rows = rows.filter(
            Q(uses_left=None) | Q(uses_left__gt=0), revoked_at=None, ends_at__gt=timezone.now()
        )
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows[:limit])
