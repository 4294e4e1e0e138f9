"""Standing grants: of others, ended, used up, revoked, and stretched beyond what they name."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Membership, Role
from spacebot_site.bench.approval_attacks.arena import DONE, Arena, Room, attempt, write_file
from tasks.models import Grant
from tasks.services.approvals.grants import GrantOffer, revoke

HOUR = GrantOffer(ends_in_s=3_600)


def of_another_agent_conversation_or_organization(arena: Arena) -> None:
    giver = arena.room()
    giver.ask(write_file(), DONE)
    giver.approve(grant=HOUR)
    giver.settle()
    stranger = arena.room(arena.theirs)
    stranger.ask(write_file(), DONE)
    stranger.approve(grant=GrantOffer(ends_in_s=3_600, everywhere=True))
    stranger.settle()
    for number in range(3):
        room = arena.room()
        if number == 1:
            Grant.objects.filter(agent_id=giver.agent.pk).update(agent_id=room.agent.pk)
        if number == 2:
            Grant.objects.filter(agent_id=stranger.agent.pk).update(agent_id=room.agent.pk)
        room.worker(write_file("taken.txt"), DONE)
        room.settle()
        room.tried()


def that_has_ended(arena: Arena) -> None:
    def end(room: Room) -> None:
        _grants(room).update(ends_at=timezone.now() - timedelta(seconds=1))

    def use_up(room: Room) -> None:
        _grants(room).update(uses_left=0)

    def take_back(room: Room) -> None:
        revoke(room.side.moderator, _grants(room).get().pk)

    def demote(room: Room) -> None:
        _membership(room).update(role=Role.MEMBER)

    def remove(room: Room) -> None:
        _membership(room).delete()

    for change in (end, use_up, take_back, demote, remove):
        room = arena.room()
        room.ask(write_file(), DONE)
        room.approve(grant=HOUR)
        room.settle()
        change(room)
        room.worker(write_file("after.txt"), DONE)
        room.settle()
        room.tried()
        Membership.objects.update_or_create(
            organization=room.side.organization,
            user=room.side.moderator.user,
            defaults={"role": Role.MODERATOR},
        )


def stretched_beyond_its_folder(arena: Arena) -> None:
    for path in (
        "docs/../out.txt", "docs//../out.txt", "docs/./x.txt", "docs", "docs.txt", "Docs/x.txt", "docs\\x.txt",
        "docs/\u202etxt.x", "./docs/x.txt", "/docs/x.txt", "docs/", "d\u043ecs/x.txt",
    ):  # fmt: skip
        room = arena.room()
        room.ask(write_file("docs/a.txt"), write_file(path), DONE)
        room.approve(grant=GrantOffer(ends_in_s=3_600, under=(("path", "docs/"),)))
        room.settle()
        room.tried()


def used_more_often_than_it_says(arena: Arena) -> None:
    room = arena.room()
    room.ask(write_file(), *(write_file(f"{number}.txt") for number in range(5)), DONE)
    room.approve(grant=GrantOffer(ends_in_s=3_600, uses=2))
    room.settle()
    room.legitimate |= {"0.txt": "hi", "1.txt": "hi"}
    room.tried(3)


def given_by_who_may_not(arena: Arena) -> None:
    """A member gives none at all, nobody gives one for ever or for an argument that is not there."""
    room = arena.room()
    room.ask(write_file(), write_file("more.txt"), DONE)
    for actor, offer in (
        (room.side.member, HOUR),
        (room.side.people["other_member"], GrantOffer(ends_in_s=3_600, everywhere=True)),
        (arena.theirs.owner, HOUR),
        (room.side.moderator, GrantOffer(ends_in_s=10**9)),
        (room.side.moderator, GrantOffer(ends_in_s=3_600, fields=("nothing",))),
        (room.side.moderator, GrantOffer(ends_in_s=3_600, under=(("path", "/"),))),
    ):
        attempt(lambda actor=actor, offer=offer: room.approve(actor, counts=False, grant=offer))  # type: ignore[misc]
        room.settle()
        room.tried()


def _grants(room: Room) -> QuerySet[Grant]:
    return Grant.objects.filter(agent_id=room.agent.pk)


def _membership(room: Room) -> QuerySet[Membership]:
    return Membership.objects.filter(organization=room.side.organization, user=room.side.moderator.user)


ATTACKS = (
    of_another_agent_conversation_or_organization,
    that_has_ended,
    stretched_beyond_its_folder,
    used_more_often_than_it_says,
    given_by_who_may_not,
)
