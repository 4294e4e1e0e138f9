"""Links that sign a user in once. Only a digest is stored; the raw part is shown once, to whoever asked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Forbidden, InvalidInput, LinkUnusable, NotFound
from accounts.models import Membership, SignInLink, User
from accounts.services import audit

LONGEST_TTL_S = 7 * 24 * 3600


def create_sign_in_link(user: User, *, ttl_s: int = 3600) -> str:
    """Return the raw part of a new link, for the operator's own use (set-up, recovery of access)."""
    if not 1 <= ttl_s <= LONGEST_TTL_S:
        raise InvalidInput(f"A link lives between 1 and {LONGEST_TTL_S} seconds.", field="ttl_s")
    raw = secrets.token_urlsafe(32)
    SignInLink.objects.create(
        user=user, digest=_digest(raw), expires_at=timezone.now() + timedelta(seconds=ttl_s)
    )
    return raw


def create_invitation(actor: Actor, user_id: int) -> str:
    """Return a link for a member who has never signed in and belongs to this organization alone.

    For anyone else it would let an administrator become that user, elsewhere too.
    """
    actor.check_scope("members:write")
    membership = (
        Membership.objects.select_related("user")
        .filter(organization=actor.organization, user_id=user_id)
        .first()
    )
    if membership is None:
        raise NotFound("There is no such member.")
    user = membership.user
    is_theirs_alone = user.memberships.count() == 1 and not user.is_superuser
    if user.last_login is not None or not is_theirs_alone or membership.level > actor.level:
        raise Forbidden("A link can be made only for a new member who has never signed in.")
    with transaction.atomic():
        raw = create_sign_in_link(user, ttl_s=LONGEST_TTL_S)
        audit.record(actor, actor.organization, "member.invited", user.email, user_id=user.pk)
    return raw


def check_sign_in_link(raw: str) -> User:
    """Return whom the link would sign in, without using it. Raises LinkUnusable."""
    link = SignInLink.objects.select_related("user").filter(digest=_digest(raw)).first()
    if link is None or not link.user.is_active:
        raise LinkUnusable("This sign-in link is not known here.", reason="unknown")
    if link.used_at is not None:
        raise LinkUnusable("This sign-in link was used already.", reason="used")
    if link.expires_at <= timezone.now():
        raise LinkUnusable("This sign-in link has expired.", reason="expired")
    return link.user


def use_sign_in_link(raw: str) -> User:
    """Use the link up and return its user; of two who try at once, one succeeds. Raises LinkUnusable."""
    now = timezone.now()
    used = SignInLink.objects.filter(
        digest=_digest(raw), used_at=None, expires_at__gt=now, user__is_active=True
    ).update(used_at=now)
    if not used:
        check_sign_in_link(raw)
        raise LinkUnusable("This sign-in link was used already.", reason="used")
    return User.objects.get(sign_in_links__digest=_digest(raw))


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode(errors="replace")).hexdigest()
