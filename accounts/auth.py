"""From a request to an actor: a bearer token, or else the signed-in session."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import User
from accounts.queries import get_actor, list_memberships
from accounts.services.tokens import authenticate_token

SESSION_KEY = "organization_id"


def bearer_token(request: HttpRequest) -> str | None:
    """Return the token of the Authorization header, or None when there is no such header."""
    scheme, _, raw = request.headers.get("Authorization", "").partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else None


def actor_for_request(request: HttpRequest) -> Actor | None:
    """Return who asks, or None for nobody known.

    A token acts in its own organization. A session acts in the one named by the `X-Organization` header
    or the `organization` parameter, else in the one it last chose, else in the user's oldest.
    Raises NotFound when the named organization is not theirs.
    """
    named = request.headers.get("X-Organization") or request.GET.get("organization") or None
    raw = bearer_token(request)
    if raw is not None:
        actor = authenticate_token(raw)
        if actor is not None and named not in (None, actor.organization.slug):
            raise NotFound("There is no such organization.")
        return actor
    if not isinstance(request.user, User) or not request.user.is_active:
        return None
    return get_actor(request.user, named or _chosen_slug(request, request.user))


def _chosen_slug(request: HttpRequest, user: User) -> str | None:
    chosen = request.session.get(SESSION_KEY)
    if chosen is None:
        return None
    slugs = list_memberships(user).filter(organization_id=chosen)
    return slugs.values_list("organization__slug", flat=True).first()
