"""Organizations themselves; who belongs to them is in `members`."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.actor import Actor
from accounts.checks import check_line, check_slug, check_time_zone
from accounts.errors import Conflict, InvalidInput
from accounts.models import Membership, Organization, Role, User
from accounts.services import audit
from accounts.services.members import sync_staff
from accounts.services.people import person_for_user


def create_organization(
    name: str, slug: str | None = None, *, owner: User, actor: Actor | None = None
) -> Organization:
    """Make an organization with its owner. Without a slug, one is made from the name.

    Raises Conflict when the slug is taken.
    """
    name = check_line(name, field="name", max_length=120)
    slug = check_slug(slug or slugify(name)[:60] or "organization")
    with transaction.atomic():
        try:
            with transaction.atomic():
                organization = Organization.objects.create(name=name, slug=slug)
        except IntegrityError:
            raise Conflict(f"There is an organization {slug} already.") from None
        Membership.objects.create(organization=organization, user=owner, role=Role.OWNER)
        person_for_user(organization, owner)
        sync_staff(owner)
        audit.record(actor, organization, "organization.created", slug, owner_id=owner.pk)
    return organization


def update_organization(
    actor: Actor, *, name: str | None = None, time_zone: str | None = None
) -> Organization:
    """Change the name or the time zone of the actor's organization."""
    actor.check_scope("organization:write")
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = check_line(name, field="name", max_length=120)
    if time_zone is not None:
        changes["time_zone"] = check_time_zone(time_zone)
    if not changes:
        raise InvalidInput("Nothing to change was given.")
    with transaction.atomic():
        organization = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)
        for field, value in changes.items():
            setattr(organization, field, value)
        organization.save(update_fields=list(changes))
        audit.record(actor, organization, "organization.changed", organization.slug, **changes)
    return organization
