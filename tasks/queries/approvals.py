"""Which approvals, grants and decisions an actor may see.

What an approval asks may quote a private conversation, so it shows to those who take part there, to who asked, and to
moderators and above whose role may decide it. One without a conversation shows to everyone whose role may decide it.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Role
from messaging.models import Participant
from tasks.models import PENDING_STATES, Approval, ApprovalState, Grant

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
    return (
        Approval.objects.filter(organization=actor.organization)
        .filter(deciding | Q(requester_user_id=actor.user.pk) | Exists(here))
        .select_related("conversation", "requester_user", "requester_person", "organization")
    )


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
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-id")[:limit])


def decidable(actor: Actor) -> QuerySet[Approval]:
    """Return what waits for this actor: open, of their role, not their own under four eyes, not answered by them yet."""
    reached = [role for role in Role if role.level <= actor.level]
    own = Q(requester_user_id=actor.user.pk) | Q(requester_person__user_id=actor.user.pk)
    said = Q(decisions__user_id=actor.user.pk, decisions__verdict="approve")
    return (
        visible_approvals(actor)
        .filter(state__in=PENDING_STATES, minimum_role__in=reached, expires_at__gt=timezone.now())
        .exclude(Q(four_eyes=True) & own)
        .exclude(pk__in=Approval.objects.filter(said, organization=actor.organization).values("pk"))
    )


def count_decidable(actor: Actor) -> int:
    return decidable(actor).count()


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
