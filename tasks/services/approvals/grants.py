"""Standing grants: what a person allows an agent to do again, within bounds and until an end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Forbidden, InvalidInput
from accounts.models import Role
from accounts.services import audit
from realtime.services import NewEvent, record, unit_of_work
from tasks.models import Approval, Grant
from tasks.queries import approvals as queries
from tasks.services.approvals.asking import Asker
from tasks.services.approvals.canonical import canonical
from tasks.services.approvals.deciders import can_decide
from tasks.services.approvals.errors import Ambiguous
from tasks.services.approvals.rules import rule_for

LONGEST_S = 90 * 24 * 3_600
SHORTEST_S = 60


@dataclass(frozen=True)
class GrantOffer:
    """What is to be allowed for longer: `fields` are the arguments that must stay as they are in the approved call.

    `under` narrows an argument to paths below a folder instead. With neither, any arguments are allowed.
    """

    ends_in_s: int
    everywhere: bool = False
    fields: tuple[str, ...] = ()
    under: tuple[tuple[str, str], ...] = ()
    uses: int | None = None


def give(actor: Actor, approval: Approval, offer: GrantOffer) -> Grant:
    """Make a grant out of an approval that the actor may decide. The caller has checked that, and holds its row.

    A member's grant stays in the conversation; a moderator's may hold in all of them.
    """
    if approval.kind != "tool_call" or approval.agent_id is None:
        raise InvalidInput("Only a tool call can be allowed for longer.", field="grant")
    if not SHORTEST_S <= offer.ends_in_s <= LONGEST_S:
        raise InvalidInput(
            "A grant ends after a minute at the earliest and 90 days at the latest.", field="grant"
        )
    if offer.uses is not None and not 1 <= offer.uses <= 100_000:
        raise InvalidInput("A grant allows 1 to 100,000 uses.", field="grant")
    rule = rule_for(
        approval.organization_id, agent_id=approval.agent_id, kind=approval.kind, subject=approval.subject
    )
    if max(rule.needed, approval.needed) > 1:
        raise Forbidden("More than one person must approve this, so nobody can allow it for longer.")
    if offer.everywhere or approval.conversation_id is None:
        actor.check_level(Role.MODERATOR)
    grant = Grant.objects.create(
        organization_id=approval.organization_id,
        agent_id=approval.agent_id,
        subject=approval.subject,
        conversation_id=None if offer.everywhere else approval.conversation_id,
        constraint=_constraint(approval.action.get("arguments", {}), offer),
        given_by=actor.user,
        approval=approval,
        uses_left=offer.uses,
        ends_at=timezone.now() + timedelta(seconds=offer.ends_in_s),
    )
    audit.record(
        actor, actor.organization, "grant.given", target=f"grant:{grant.pk}", tool=grant.subject,
        agent_id=grant.agent_id, conversation_id=grant.conversation_id, ends_at=grant.ends_at.isoformat(),
    )  # fmt: skip
    _tell(grant)
    return grant


def revoke(actor: Actor, grant_id: int) -> Grant:
    """End a grant at once: who gave it may, and so may moderators. Twice changes nothing."""
    actor.check_scope("approvals:write")
    found = queries.get_grant(actor, grant_id)
    with unit_of_work():
        grant = Grant.objects.select_for_update().get(pk=found.pk)
        if grant.given_by_id != actor.user.pk and not actor.has_level(Role.MODERATOR):
            raise Forbidden("Only who gave it, or a moderator, can revoke this.")
        if grant.revoked_at is None:
            grant.revoked_at, grant.revoked_by = timezone.now(), actor.user
            grant.save(update_fields=["revoked_at", "revoked_by"])
            audit.record(actor, actor.organization, "grant.revoked", target=f"grant:{grant.pk}")
            _tell(grant)
    return grant


def end_all(organization_id: int, *, subjects: list[str]) -> None:
    """End every grant for these subjects, because what they named is no longer what it was."""
    rows = Grant.objects.filter(organization_id=organization_id, subject__in=subjects, revoked_at=None)
    for grant in rows.select_for_update().order_by("id"):
        grant.revoked_at = timezone.now()
        grant.save(update_fields=["revoked_at"])
        _tell(grant)


def find_grant(asker: Asker, *, subject: str, arguments: dict[str, Any]) -> Grant | None:
    """Return a grant that covers the call now, None if there is none; its giver is checked again."""
    if asker.agent_id is None:
        return None
    now = timezone.now()
    rows = Grant.objects.filter(
        Q(conversation_id=None) | Q(conversation_id=asker.conversation_id),
        Q(uses_left=None) | Q(uses_left__gt=0),
        organization_id=asker.organization_id,
        agent_id=asker.agent_id,
        subject=subject,
        revoked_at=None,
        ends_at__gt=now,
    ).order_by("id")
    return next((row for row in rows if _covers(row.constraint, arguments) and giver_may(row, asker)), None)


def spend(grant: Grant) -> bool:
    """Use a grant once; False when it was revoked, ended or used up meanwhile."""
    now = timezone.now()
    return bool(
        Grant.objects.filter(
            Q(uses_left=None) | Q(uses_left__gt=0), pk=grant.pk, revoked_at=None, ends_at__gt=now
        ).update(used=F("used") + 1, uses_left=F("uses_left") - 1, last_used_at=now)
    )


def is_usable(grant: Grant, at: datetime) -> bool:
    """Say whether a grant still stands, apart from its uses."""
    return grant.revoked_at is None and grant.ends_at > at


def giver_may(grant: Grant, asker: Asker) -> bool:
    """Say whether the giver could approve this very call by hand now."""
    rule = rule_for(asker.organization_id, agent_id=asker.agent_id, kind="tool_call", subject=grant.subject)
    return rule.needed == 1 and can_decide(
        grant.given_by_id,
        rule,
        organization_id=asker.organization_id,
        conversation_id=asker.conversation_id,
        requester_user_id=asker.requester_user_id,
        requester_person_id=asker.requester_person_id,
    )


def _constraint(arguments: dict[str, Any], offer: GrantOffer) -> dict[str, Any]:
    names = {*offer.fields, *(name for name, _ in offer.under)}
    if unknown := names - set(arguments):
        raise InvalidInput(f"The call has no argument {sorted(unknown)[0]!r}.", field="grant")
    constraint: dict[str, Any] = {name: {"is": arguments[name]} for name in offer.fields}
    for name, folder in offer.under:
        if not folder.endswith("/") or not _is_plain_path(folder) or not _is_under(arguments[name], folder):
            raise InvalidInput("Name a folder that the call is in, such as docs/.", field="grant")
        constraint[name] = {"under": folder}
    return constraint


def _covers(constraint: dict[str, Any], arguments: dict[str, Any]) -> bool:
    """Say whether the arguments meet every condition; an unknown condition is not met."""
    for name, condition in constraint.items():
        if name not in arguments:
            return False
        value = arguments[name]
        if set(condition) == {"is"}:
            if not _is_same(value, condition["is"]):
                return False
        elif set(condition) == {"under"}:
            if not _is_under(value, condition["under"]):
                return False
        else:
            return False
    return True


def _is_same(value: Any, granted: Any) -> bool:
    try:
        return canonical(value) == canonical(granted)
    except Ambiguous:
        return False


def _is_under(value: Any, folder: str) -> bool:
    return (
        isinstance(value, str)
        and value.startswith(folder)
        and len(value) > len(folder)
        and _is_plain_path(value)
    )


def _is_plain_path(value: str) -> bool:
    """Say whether a path is written in the one plain way: no steps up, no empty parts, no odd characters."""
    parts = value.removesuffix("/").split("/")
    return all(part not in ("", ".", "..") for part in parts) and value.isprintable() and "\\" not in value


def _tell(grant: Grant) -> None:
    payload = {"grant": {"id": grant.pk, "revoked": grant.revoked_at is not None}}
    record(grant.organization_id, NewEvent("grant.changed", payload))
