"""Who may decide: read from memberships at the moment it counts, never from what was true when somebody clicked."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import FilteredRelation, Q

from accounts.actor import Actor, actor_for
from accounts.errors import Forbidden
from accounts.models import Membership, Person, Role
from messaging.models import Participant
from tasks.authors import check_person
from tasks.models import Approval, ApprovalRule, Verdict
from tasks.queries.approvals import SCOPES, may_decide_with, visible_approvals
from tasks.services.approvals.rules import Rule, closest, rule_for


def rule_now(approval: Approval) -> Rule:
    """Return what the approval's own rule and the organization's present one both demand."""
    now = rule_for(
        approval.organization_id, agent_id=approval.agent_id, kind=approval.kind, subject=approval.subject
    )
    return now.strictest(approval)


def check_may_decide(actor: Actor, approval: Approval) -> None:
    """Raise Forbidden with the reason when the actor, who sees it, may not decide this approval."""
    rule = rule_now(approval)
    actor.check_scope(SCOPES.get(approval.kind, "approvals:write"))
    check_person(actor)
    own = is_requester(actor.user.pk, approval.requester_user_id, approval.requester_person_id)
    if rule.four_eyes and own:
        raise Forbidden("Nobody decides what they asked for themselves here; somebody else has to.")
    if rule.own and own:
        return
    if not actor.has_level(rule.minimum_role):
        raise Forbidden(f"This is decided by the role {rule.minimum_role.value} or higher.")
    if actor.level < Role.MODERATOR.level and not _takes_part(actor.user.pk, approval.conversation_id):
        raise Forbidden("Members decide only in conversations they take part in.")


def may_decide(actor: Actor, approval: Approval) -> bool:
    try:
        check_may_decide(actor, approval)
    except Forbidden:
        return False
    return True


def decidable_ids(actor: Actor, approvals: Sequence[Approval]) -> set[int]:
    """Return which of the pending approvals the actor may decide, for a list: two queries, however many there are."""
    pending = [
        approval for approval in approvals if approval.is_pending and may_decide_with(actor, approval.kind)
    ]
    if not pending or actor.role == Role.AGENT:
        return set()
    rows = list(ApprovalRule.objects.filter(organization_id=actor.organization.pk))
    rooms = {approval.conversation_id for approval in pending}
    persons = Person.objects.filter(organization=actor.organization, user=actor.user)
    in_room = FilteredRelation("participations", condition=Q(participations__conversation__in=rooms))
    mine, here = set[int](), set[int | None]()
    for person, room in persons.annotate(there=in_room).values_list("pk", "there__conversation"):
        mine.add(person)
        here.add(room)
    found = set()
    for approval in pending:
        rule = closest(
            rows, agent_id=approval.agent_id, kind=approval.kind, subject=approval.subject
        ).strictest(approval)
        own = approval.requester_user_id == actor.user.pk or approval.requester_person_id in mine
        among = actor.level >= Role.MODERATOR.level or approval.conversation_id in {None, *here}
        of_role = actor.has_level(rule.minimum_role) and among
        if not (rule.four_eyes and own) and (of_role or (rule.own and own)):
            found.add(approval.pk)
    return found


def standing_approvers(approval: Approval, rule: Rule) -> list[int]:
    """Return the users whose approval counts now: still members, still of the role, not the requester under four eyes."""
    users = approval.decisions.filter(verdict=Verdict.APPROVE).values_list("user_id", flat=True)
    return [user for user in users if still_may(user, approval, rule)]


def still_may(user_id: int, approval: Approval, rule: Rule) -> bool:
    return sees(user_id, approval) and can_decide(
        user_id,
        rule,
        organization_id=approval.organization_id,
        conversation_id=approval.conversation_id,
        requester_user_id=approval.requester_user_id,
        requester_person_id=approval.requester_person_id,
    )


def can_decide(
    user_id: int,
    rule: Rule,
    *,
    organization_id: int,
    conversation_id: int | None,
    requester_user_id: int | None,
    requester_person_id: int | None,
) -> bool:
    """Say whether a user could decide, by the memberships of this moment."""
    membership = Membership.objects.filter(
        organization_id=organization_id, user_id=user_id, user__is_active=True
    ).first()
    if membership is None or membership.role == Role.AGENT:
        return False
    own = is_requester(user_id, requester_user_id, requester_person_id)
    if own and (rule.four_eyes or rule.own):
        return not rule.four_eyes
    if membership.level < rule.minimum_role.level:
        return False
    return membership.level >= Role.MODERATOR.level or _takes_part(user_id, conversation_id)


def sees(user_id: int, approval: Approval) -> bool:
    """Say whether a user still sees what was proposed; of a tool call that is not asked."""
    if not approval.is_proposal:
        return True
    membership = Membership.objects.filter(organization_id=approval.organization_id, user_id=user_id)
    found = membership.select_related("user", "organization").first()
    return found is not None and visible_approvals(actor_for(found)).filter(pk=approval.pk).exists()


def is_requester(user_id: int, requester_user_id: int | None, requester_person_id: int | None) -> bool:
    """Say whether the user asked for it, be it from a platform under another name."""
    if user_id == requester_user_id:
        return True
    return (
        requester_person_id is not None
        and Person.objects.filter(pk=requester_person_id, user_id=user_id).exists()
    )


def requester_still_may(organization_id: int, requester_user_id: int | None) -> bool:
    if requester_user_id is None:
        return True
    return Membership.objects.filter(
        organization_id=organization_id, user_id=requester_user_id, user__is_active=True
    ).exists()


def _takes_part(user_id: int, conversation_id: int | None) -> bool:
    if conversation_id is None:
        return True
    return Participant.objects.filter(conversation_id=conversation_id, person__user_id=user_id).exists()
