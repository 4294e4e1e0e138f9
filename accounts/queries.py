"""Reads of organizations, members, people, tokens and the audit trail."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.actor import Actor, actor_for
from accounts.errors import NotFound
from accounts.models import ApiToken, AuditEvent, Membership, Person, Role, User


def list_memberships(user: User) -> QuerySet[Membership]:
    """Return where the user belongs, oldest first, with the organizations loaded."""
    return Membership.objects.filter(user=user).select_related("organization", "user").order_by("pk")


def get_actor(user: User, organization_slug: str | None = None) -> Actor:
    """Return the user as a member of this organization; without a slug, of the oldest one they are in.

    Raises NotFound where they do not belong, whether or not the organization exists.
    """
    memberships = list_memberships(user)
    if organization_slug is not None:
        memberships = memberships.filter(organization__slug=organization_slug)
    membership = memberships.first() if user.is_active else None
    if membership is None:
        raise NotFound("There is no such organization.")
    return actor_for(membership)


def list_members(actor: Actor) -> QuerySet[Membership]:
    """Return who belongs to the actor's organization, oldest first, with the users loaded."""
    actor.check_scope("members:read")
    return Membership.objects.filter(organization=actor.organization).select_related("user").order_by("pk")


def get_member(actor: Actor, user_id: int) -> Membership:
    member = list_members(actor).filter(user_id=user_id).first()
    if member is None:
        raise NotFound("There is no such member.")
    return member


def list_people(actor: Actor) -> QuerySet[Person]:
    """Return whom the organization's agents know, by name."""
    actor.check_scope("members:read")
    return Person.objects.filter(organization=actor.organization).order_by("display_name", "pk")


def list_tokens(actor: Actor) -> QuerySet[ApiToken]:
    """Return the actor's own tokens, newest first; an administrator sees everyone's."""
    actor.check_scope("tokens:read")
    tokens = ApiToken.objects.filter(organization=actor.organization).select_related("user").order_by("-pk")
    return tokens if actor.has_level(Role.ADMIN) else tokens.filter(user=actor.user)


def list_audit_events(actor: Actor, *, before: int | None = None, limit: int = 50) -> list[AuditEvent]:
    """Return entries older than number `before`, newest first."""
    actor.check_scope("audit:read")
    events = AuditEvent.objects.filter(organization=actor.organization).order_by("-number")
    if before is not None:
        events = events.filter(number__lt=before)
    return list(events[:limit])
