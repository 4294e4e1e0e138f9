"""Who belongs to an organization and with what role.

Nobody grants, changes or removes a role above their own, and an organization keeps at least one owner.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import hooks
from accounts.actor import Actor
from accounts.checks import check_email, check_line
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import ApiToken, Membership, Organization, Role, User
from accounts.services import audit
from accounts.services.people import person_for_user


def add_member(actor: Actor, *, email: str, role: str = Role.MEMBER, name: str = "") -> Membership:
    """Make the user with this address a member; the user is created, without a password, when new.

    Raises Conflict for one who is a member already.
    """
    actor.check_scope("members:write")
    email, granted = check_email(email), _check_role(actor, role)
    name = check_line(name, field="name", max_length=120) if name else ""
    with transaction.atomic():
        _lock(actor.organization.pk)
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, name=name)
        elif Membership.objects.filter(organization=actor.organization, user=user).exists():
            raise Conflict(f"{email} is a member already.")
        membership = Membership.objects.create(organization=actor.organization, user=user, role=granted)
        person_for_user(actor.organization, user)
        sync_staff(user)
        audit.record(actor, actor.organization, "member.added", email, user_id=user.pk, role=granted.value)
    return membership


def change_role(actor: Actor, user_id: int, role: str) -> Membership:
    """Give a member another role. Giving the same role again changes nothing."""
    actor.check_scope("members:write")
    granted = _check_role(actor, role)
    with transaction.atomic():
        membership = _lock_member(actor, user_id)
        _check_reach(actor, membership)
        if membership.role == granted:
            return membership
        _check_not_last_owner(membership)
        before, membership.role = membership.role, granted
        membership.save(update_fields=["role"])
        sync_staff(membership.user)
        audit.record(
            actor,
            actor.organization,
            "member.role_changed",
            membership.user.email,
            user_id=user_id,
            before=before,
            after=granted.value,
        )
        hooks.call_after_commit(hooks.on_role_changed, actor.organization.pk, user_id)
    return membership


def remove_member(actor: Actor, user_id: int) -> None:
    """End a membership and revoke the user's tokens here; calls `hooks.on_membership_removed` on commit.

    Everyone may leave on their own.
    """
    leaves = user_id == actor.user.pk and actor.token_id is None
    if not leaves:
        actor.check_scope("members:write")
    with transaction.atomic():
        membership = _lock_member(actor, user_id)
        _check_reach(actor, membership)
        _check_not_last_owner(membership)
        user = membership.user
        membership.delete()
        ApiToken.objects.filter(organization=actor.organization, user=user, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        sync_staff(user)
        audit.record(actor, actor.organization, "member.removed", user.email, user_id=user_id)
        hooks.call_after_commit(hooks.on_membership_removed, actor.organization.pk, user_id)


def sync_staff(user: User) -> None:
    """Let a user open the admin exactly while they administer an organization or are a superuser."""
    administers = Membership.objects.filter(user=user, role__in=[Role.OWNER, Role.ADMIN]).exists()
    is_staff = user.is_superuser or administers
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])


def _check_role(actor: Actor, role: str) -> Role:
    try:
        granted = Role(role)
    except ValueError:
        raise InvalidInput(f"There is no role {role}.", field="role") from None
    if granted.level > actor.level:
        raise Forbidden("Nobody can grant a role above their own.")
    return granted


def _lock(organization_id: int) -> None:
    """Serialise changes of one organization's members, so that the last owner is counted truly."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def _lock_member(actor: Actor, user_id: int) -> Membership:
    _lock(actor.organization.pk)
    found = Membership.objects.select_related("user").filter(organization=actor.organization, user_id=user_id)
    membership = found.first()
    if membership is None:
        raise NotFound("There is no such member.")
    return membership


def _check_reach(actor: Actor, membership: Membership) -> None:
    if membership.level > actor.level:
        raise Forbidden("Nobody can change a member whose role is above their own.")


def _check_not_last_owner(membership: Membership) -> None:
    """Raise Conflict when the organization would be left without an owner who can sign in."""
    if membership.role != Role.OWNER:
        return
    others = Membership.objects.filter(
        organization_id=membership.organization_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists():
        raise Conflict("An organization keeps at least one owner.")
