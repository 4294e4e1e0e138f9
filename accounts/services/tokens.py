"""API tokens: a random bearer secret that acts as its user, within the scopes it was given.

Only the SHA-256 digest is stored. It is also what the lookup compares, so the time a lookup takes tells
nothing about the token.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from accounts.actor import Actor
from accounts.checks import check_line
from accounts.errors import Forbidden, InvalidInput, NotFound
from accounts.models import ApiToken, Membership, Role
from accounts.scopes import MINIMUM_ROLES, allowed_scopes
from accounts.services import audit

PREFIX = "sb_"
PREFIX_SHOWN = 9
USE_NOTED_EVERY = timedelta(minutes=1)


def create_token(
    actor: Actor, *, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Make a token for the actor; the second value is the token itself, which cannot be had again.

    A token can only make tokens that can do no more and live no longer than itself.
    """
    actor.check_scope("tokens:write")
    name = check_line(name, field="name", max_length=80)
    granted = _check_scopes(actor, scopes)
    _check_expiry(actor, expires_at)
    raw = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            organization=actor.organization,
            user=actor.user,
            name=name,
            prefix=raw[:PREFIX_SHOWN],
            digest=_digest(raw),
            scopes=granted,
            expires_at=expires_at,
        )
        audit.record(actor, actor.organization, "token.created", name, id=token.pk, scopes=granted)
    return token, raw


def revoke_token(actor: Actor, token_id: int) -> ApiToken:
    """End a token at once: one's own, or as an administrator anyone's up to one's own role.

    Revoking it again changes nothing.
    """
    actor.check_scope("tokens:write")
    with transaction.atomic():
        found = ApiToken.objects.select_for_update().filter(organization=actor.organization, pk=token_id)
        if not actor.has_level(Role.ADMIN):
            found = found.filter(user=actor.user)
        token = found.first()
        if token is None:
            raise NotFound("There is no such token.")
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record(actor, actor.organization, "token.revoked", token.name, id=token.pk)
    return token


def authenticate_token(raw: str) -> Actor | None:
    """Return who acts with this token now, or None. One query; the use is noted once a minute at most."""
    if not raw.startswith(PREFIX) or len(raw) > 100:
        return None
    now = timezone.now()
    membership = Membership.objects.filter(organization=OuterRef("organization"), user=OuterRef("user"))
    token = (
        ApiToken.objects.select_related("user", "organization")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(digest=_digest(raw), revoked_at=None, user__is_active=True)
        .annotate(role=Subquery(membership.values("role")[:1]))
        .first()
    )
    if token is None or token.role is None:
        return None
    if token.last_used_at is None or now - token.last_used_at >= USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    role = Role(token.role)
    return Actor(
        user=token.user,
        organization=token.organization,
        role=role,
        scopes=allowed_scopes(role).intersection(token.scopes),
        token_id=token.pk,
    )


def _check_scopes(actor: Actor, scopes: Iterable[str]) -> list[str]:
    granted = sorted(set(scopes))
    if not granted:
        raise InvalidInput("A token needs at least one scope.", field="scopes")
    for scope in granted:
        if scope not in MINIMUM_ROLES:
            raise InvalidInput(f"There is no scope {scope}.", field="scopes")
        actor.check_scope(scope)
    return granted


def _check_expiry(actor: Actor, expires_at: datetime | None) -> None:
    if expires_at is not None and timezone.is_naive(expires_at):
        raise InvalidInput("The expiry needs a time zone.", field="expires_at")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("The expiry lies in the past.", field="expires_at")
    if actor.token_id is not None:
        limit = ApiToken.objects.values_list("expires_at", flat=True).get(pk=actor.token_id)
        if limit is not None and (expires_at is None or expires_at > limit):
            raise Forbidden("A token cannot make one that lives longer than itself.")


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
