"""What a signed-in person may reach in the admin: the organizations they administer, or as superuser all."""

from __future__ import annotations

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from accounts.actor import Actor
from accounts.models import Membership, Organization, Role, User


def is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser


def administered_levels(request: HttpRequest) -> dict[int, int]:
    """Return the level of the user by organization id, where they administer it. One query per request."""
    kept: dict[int, int] | None = getattr(request, "administered_levels", None)
    if kept is None:
        kept = {}
        if isinstance(request.user, User) and request.user.is_active:
            roles = Membership.objects.filter(user=request.user).values_list("organization_id", "role")
            levels = {organization_id: Role(role).level for organization_id, role in roles}
            kept = {key: level for key, level in levels.items() if level >= Role.ADMIN.level}
        request.administered_levels = kept  # type: ignore[attr-defined]
    return kept


def actor_in(request: HttpRequest, organization: Organization) -> Actor:
    """Return the user as an actor there; a superuser acts with the authority of an owner everywhere."""
    assert isinstance(request.user, User)
    if is_superuser(request):
        return Actor(user=request.user, organization=organization, role=Role.OWNER)
    membership = Membership.objects.get(user=request.user, organization=organization)
    return Actor(user=request.user, organization=organization, role=Role(membership.role))


def belongs_to_organization(model: type[Model]) -> bool:
    try:
        return model._meta.get_field("organization").related_model is Organization
    except FieldDoesNotExist:
        return False


def reachable(model: type[Model], organization_ids: list[int]) -> QuerySet[Model]:
    """Return the rows of any model that may be offered as a choice to administrators of these organizations."""
    rows: QuerySet[Model] = model._default_manager.all()
    if model is Organization:
        return rows.filter(pk__in=organization_ids)
    if model is User:
        return rows.filter(
            Q(pk__in=Membership.objects.filter(organization__in=organization_ids).values("user"))
        )
    if belongs_to_organization(model):
        return rows.filter(organization__in=organization_ids)
    return rows.none()
