"""Asking for an approval, and taking the question back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden
from accounts.models import Role
from accounts.services import audit
from realtime.services import unit_of_work
from tasks.models import PENDING_STATES, Approval, ApprovalState, Goal, Schedule, Task
from tasks.queries import approvals as queries
from tasks.services.approvals import telling
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.deciders import may_decide
from tasks.services.approvals.kinds import Part, executor_for
from tasks.services.approvals.rules import rule_for
from tasks.services.approvals.sight import is_unseen


@dataclass(frozen=True)
class Asker:
    """Who asks and from where. `run_id` is the run that waits or asked."""

    organization_id: int
    agent_id: int | None = None
    run_id: int | None = None
    conversation_id: int | None = None
    requester_user_id: int | None = None
    requester_person_id: int | None = None


def ask(
    asker: Asker,
    *,
    kind: str,
    action: dict[str, Any],
    origin_key: str,
    title: str,
    subject: str = "",
    why: str = "",
    preview: Sequence[Part] = (),
    basis: str = "",
    about: Task | Goal | Schedule | None = None,
    discussion: Sequence[dict[str, Any]] = (),
) -> Approval:
    """Create an open approval for exactly this action; the same `origin_key` again returns the first one.

    Call it in the transaction that creates what waits. Raises Ambiguous for an action that cannot be bound to.
    """
    digest = digest_of(asker.organization_id, kind, action)
    rule = rule_for(asker.organization_id, agent_id=asker.agent_id, kind=kind, subject=subject)
    with unit_of_work():
        approval, created = Approval.objects.get_or_create(
            organization_id=asker.organization_id,
            origin_key=origin_key,
            defaults={
                "kind": kind,
                "subject": subject[:80],
                "agent_id": asker.agent_id,
                "run_id": asker.run_id,
                "conversation_id": asker.conversation_id,
                "requester_user_id": asker.requester_user_id,
                "requester_person_id": asker.requester_person_id,
                "action": action,
                "digest": digest,
                "basis": basis,
                "title": _line(title) or kind,
                "why": why[:4_000],
                "preview": list(preview),
                "minimum_role": rule.minimum_role,
                "needed": rule.needed,
                "four_eyes": rule.four_eyes,
                "ruled": rule.ruled,
                "discussion": list(discussion),
                **({about._meta.model_name or "": about} if about is not None else {}),
                "expires_at": timezone.now() + timedelta(seconds=rule.expires_after_s),
            },
        )
        if created:
            telling.changed(approval)
    return approval


def _line(title: str) -> str:
    """Return a title on one line, in which nothing unseen can turn words around."""
    return "".join(
        each if each.isprintable() and not is_unseen(each) else "\ufffd" for each in " ".join(title.split())
    )[:200]


def withdraw(actor: Actor, approval_id: int) -> Approval:
    """Take a question back: its requester may, and so may who could decide it. Twice changes nothing."""
    found = queries.get_approval(actor, approval_id)
    with unit_of_work():
        executor_for(found.kind).hold(found)
        approval = Approval.objects.select_for_update().get(pk=found.pk)
        is_theirs = approval.requester_user_id == actor.user.pk
        if not (is_theirs and actor.has_level(Role.MEMBER)) and not may_decide(actor, approval):
            raise Forbidden("Only who asked, or who may decide, can take this back.")
        if approval.state == ApprovalState.WITHDRAWN:
            return approval
        if approval.state not in (*PENDING_STATES, ApprovalState.APPROVED):
            raise Conflict("This is closed already.")
        close(approval, ApprovalState.WITHDRAWN, f"taken back by {actor.user}")
        audit.record(actor, actor.organization, "approval.withdrawn", target=f"approval:{approval.pk}")
    return approval


def withdraw_of_run(run_id: int, *, reason: str, origin_key: str | None = None) -> int:
    """Close what a run was asking for, or one thing of it; return how much it was. The caller holds the run's locks.

    What it proposed outlives the run.
    """
    rows = Approval.objects.select_for_update().filter(
        run_id=run_id,
        state__in=[*PENDING_STATES, ApprovalState.APPROVED],
        task=None,
        goal=None,
        schedule=None,
    )
    if origin_key is not None:
        rows = rows.filter(origin_key=origin_key)
    found = list(rows.order_by("id"))
    for approval in found:
        close(approval, ApprovalState.WITHDRAWN, reason)
    return len(found)


def close(approval: Approval, state: ApprovalState, reason: str) -> None:
    """Write the end of an approval that was not executed, and tell. The caller holds its row."""
    approval.state, approval.reason, approval.closed_at = state, reason[:500], timezone.now()
    approval.save(update_fields=["state", "reason", "closed_at"])
    telling.changed(approval)
