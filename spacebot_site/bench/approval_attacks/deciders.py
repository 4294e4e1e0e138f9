"""Who decides: people without the right, of another organization, for themselves, or who lost the right meanwhile."""

from __future__ import annotations

from dataclasses import replace

from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.models import Membership, Person, Role, User
from agents.engine import wakeups
from agents.models import Run
from spacebot_site.bench.approval_attacks.arena import Arena, Room, attempt
from tasks.models import ApprovalRule, Decision, Verdict
from tasks.services.approvals.deciding import decide, decide_many


def by_who_may_not(arena: Arena) -> None:
    """Members, strangers, tokens without the scope, and a role that is claimed but not held."""
    ours, theirs = arena.ours, arena.theirs
    forged = Actor(user=ours.member.user, organization=ours.organization, role=Role.OWNER)
    for actor in (
        ours.member,
        ours.people["other_member"],
        theirs.owner,
        replace(theirs.owner, organization=ours.organization, role=Role.MEMBER),
        replace(ours.owner, scopes=frozenset({"approvals:read"})),
        replace(ours.member, role=Role.AGENT),
        forged,
    ):
        room = arena.room()
        room.ask()
        attempt(lambda actor=actor, room=room: room.approve(actor, counts=False))  # type: ignore[misc]
        attempt(lambda actor=actor, room=room: decide_many(actor, [room.approval().pk], "approve"))  # type: ignore[misc]
        room.settle()
        room.tried(2)


def by_who_asked_under_four_eyes(arena: Arena) -> None:
    _rule(arena, four_eyes=True)
    room = arena.room(asked_by="moderator")
    room.ask()
    attempt(lambda: room.approve(counts=False))
    room.settle()
    room.tried()
    ApprovalRule.objects.all().delete()


def by_who_asked_under_another_name(arena: Arena) -> None:
    """Asked from a platform, where the same user is a person without a login."""
    _rule(arena, four_eyes=True)
    room = arena.room(asked_by="moderator")
    run, approval = room.ask()
    person = Person.objects.get(user=room.asker.user, organization=room.side.organization)
    type(run).objects.filter(pk=run.pk).update(requester_user=None, requester_person=person)
    type(approval).objects.filter(pk=approval.pk).update(requester_user=None, requester_person=person)
    attempt(lambda: room.approve(counts=False))
    room.settle()
    room.tried()
    ApprovalRule.objects.all().delete()


def by_one_where_two_are_needed(arena: Arena) -> None:
    _rule(arena, needed=2)
    room = arena.room()
    room.ask()
    for _ in range(3):
        attempt(lambda: room.approve(counts=False))
    room.settle()
    room.tried(3)
    ApprovalRule.objects.all().delete()


def by_one_who_loses_the_right(arena: Arena) -> None:
    """Approved by somebody who may; at the moment of the call they may no longer."""

    def demote(room: Room) -> None:
        _membership(room).update(role=Role.MEMBER)

    def remove(room: Room) -> None:
        _membership(room).delete()

    def deactivate(room: Room) -> None:
        User.objects.filter(pk=room.side.moderator.user.pk).update(is_active=False)

    def tighten(room: Room) -> None:
        _rule(arena, minimum_role=Role.OWNER)

    def need_two(room: Room) -> None:
        _rule(arena, needed=2)

    for change in (demote, remove, deactivate, tighten, need_two):
        room = arena.room()
        room.ask()
        room.approve(counts=False)
        change(room)
        room.settle()
        room.tried()
        _restore(room)


def by_a_forged_decision(arena: Arena) -> None:
    """A row in a member's name does not count, whatever it says."""
    room = arena.room()
    _, approval = room.ask()
    Decision.objects.create(
        organization=room.side.organization, approval=approval, user=room.side.member.user,
        verdict=Verdict.APPROVE, at=approval.created_at,
    )  # fmt: skip
    type(approval).objects.filter(pk=approval.pk).update(state="approved")
    room.settle()
    wakeups.requeue(Run.objects.get(pk=approval.run_id or 0))
    room.settle()
    room.tried()


def for_a_requester_who_left(arena: Arena) -> None:
    room = arena.room(asked_by="other_member")
    room.ask()
    room.approve(counts=False)
    rows = Membership.objects.filter(organization=room.side.organization, user=room.asker.user)
    rows.delete()
    room.settle()
    room.tried()
    Membership.objects.create(organization=room.side.organization, user=room.asker.user, role=Role.MEMBER)


def with_another_action_in_view(arena: Arena) -> None:
    """A verdict that names another digest than the action's is refused."""
    room = arena.room()
    _, approval = room.ask()
    attempt(lambda: decide(room.side.moderator, approval.pk, "approve", digest="0" * 64))
    room.settle()
    room.tried()


def _rule(arena: Arena, **values: object) -> None:
    ApprovalRule.objects.update_or_create(
        organization=arena.ours.organization, agent_id=None, kind="", subject="", defaults=values
    )


def _membership(room: Room) -> QuerySet[Membership]:
    return Membership.objects.filter(organization=room.side.organization, user=room.side.moderator.user)


def _restore(room: Room) -> None:
    user = room.side.moderator.user
    User.objects.filter(pk=user.pk).update(is_active=True)
    Membership.objects.update_or_create(
        organization=room.side.organization, user=user, defaults={"role": Role.MODERATOR}
    )
    ApprovalRule.objects.all().delete()


ATTACKS = (
    by_who_may_not,
    by_who_asked_under_four_eyes,
    by_who_asked_under_another_name,
    by_one_where_two_are_needed,
    by_one_who_loses_the_right,
    by_a_forged_decision,
    for_a_requester_who_left,
    with_another_action_in_view,
)
