"""People the agents know."""

from __future__ import annotations

from accounts.models import Organization, Person, User


def person_for_user(organization: Organization, user: User) -> Person:
    """Return who `user` is to the organization's agents; made at first need."""
    person, _ = Person.objects.get_or_create(
        organization=organization, user=user, defaults={"display_name": user.get_full_name()[:120]}
    )
    return person
