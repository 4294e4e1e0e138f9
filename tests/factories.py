"""Rows for tests. A second organization always exists, so that a leak between tenants shows."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.models import Membership, Organization, Person, Role, User
from agents.models import Agent
from messaging.models import PlatformAccount


@dataclass
class Team:
    """One organization with an owner, an admin, a moderator, two members, an agent and its web chat."""

    organization: Organization
    owner: Actor
    admin: Actor
    moderator: Actor
    member: Actor
    other_member: Actor
    agent: Agent
    webchat: PlatformAccount


def make_team(slug: str) -> Team:
    organization = Organization.objects.create(name=slug.title(), slug=slug)

    def make(role: Role, name: str) -> Actor:
        user = User.objects.create(
            email=f"{name}@{slug}.test", name=f"{name.title()} of {slug}", is_staff=role.level >= 3
        )
        Membership.objects.create(organization=organization, user=user, role=role)
        Person.objects.create(organization=organization, user=user, display_name=user.name)
        return Actor(user=user, organization=organization, role=role)

    return Team(
        organization=organization,
        owner=make(Role.OWNER, "olga"),
        admin=make(Role.ADMIN, "adam"),
        moderator=make(Role.MODERATOR, "mona"),
        member=make(Role.MEMBER, "mia"),
        other_member=make(Role.MEMBER, "otto"),
        agent=Agent.objects.create(organization=organization, slug="spacebot", name="Spacebot"),
        webchat=PlatformAccount.objects.create(organization=organization, platform="webchat"),
    )
