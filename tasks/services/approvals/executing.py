"""The last moment: an approved action is checked once more and taken for its single execution, in one transaction."""

from __future__ import annotations

from django.db import Error, transaction
from django.utils import timezone

from accounts.logs import get_logger
from tasks.models import Approval, ApprovalState
from tasks.services.approvals import telling
from tasks.services.approvals.asking import close
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.deciders import requester_still_may, rule_now, standing_approvers
from tasks.services.approvals.errors import ActionChanged, ApprovalError, NotRunnable
from tasks.services.approvals.kinds import executor_for

log = get_logger(__name__)

CHANGED = "the action is not the one that was approved"


def claim(approval_id: int, *, digest: str, basis: str = "") -> Approval:
    """Take an approved action for its one execution. `digest` is of what is about to run, computed now.

    Call it in the transaction that runs the action, or that records that it is being run. Raises NotRunnable, having
    closed the approval with the reason, which must then be committed.
    """
    approval = Approval.objects.select_for_update().get(pk=approval_id)
    try:
        check_claimable(approval, digest=digest, basis=basis)
        _use(approval)
    except NotRunnable as error:
        if approval.state == ApprovalState.APPROVED:
            state = ApprovalState.EXPIRED if error.expired else ApprovalState.FAILED
            close(approval, state, str(error))
        raise
    return approval


def check_claimable(approval: Approval, *, digest: str, basis: str = "") -> None:
    """Raise NotRunnable unless the approved action may run now."""
    if approval.used_at is not None:
        raise NotRunnable("this approval was used already")
    if approval.state != ApprovalState.APPROVED:
        raise NotRunnable(f"it is not approved but {ApprovalState(approval.state).label.lower()}")
    if approval.expires_at <= timezone.now():
        raise NotRunnable("the approval has expired", expired=True)
    check_still_approved(approval, digest=digest)
    if basis != approval.basis:
        raise NotRunnable("what it would change is no longer as it was shown")


def check_still_approved(approval: Approval, *, digest: str) -> None:
    """Raise NotRunnable when the action differs, or when those who approved or asked may no longer."""
    if (
        digest != approval.digest
        or digest_of(approval.organization_id, approval.kind, approval.action) != digest
    ):
        raise NotRunnable(CHANGED)
    rule = rule_now(approval)
    if len(standing_approvers(approval, rule)) < rule.needed:
        raise NotRunnable("who approved it may no longer decide this")
    if not requester_still_may(approval.organization_id, approval.requester_user_id):
        raise NotRunnable("who asked for it is no longer a member of this organization")


def _use(approval: Approval) -> None:
    now = timezone.now()
    used = Approval.objects.filter(
        pk=approval.pk,
        state=ApprovalState.APPROVED,
        used_at=None,
        digest=approval.digest,
        expires_at__gt=now,
    ).update(state=ApprovalState.EXECUTED, used_at=now, closed_at=now)
    if not used:
        raise NotRunnable("this approval was used already")
    approval.state, approval.used_at, approval.closed_at = ApprovalState.EXECUTED, now, now
    telling.changed(approval)


def execute_now(approval: Approval) -> None:
    """Do what was just approved, in the transaction of the verdict. The caller holds the row.

    What goes wrong undoes the action and not the verdict, and is kept as the reason.
    """
    executor = executor_for(approval.kind)
    try:
        check_claimable(approval, digest=approval.digest, basis=approval.basis)
        with transaction.atomic():
            executor.check(approval)
            _use(approval)
            approval.result = executor.execute(approval)[:4_000]
            approval.save(update_fields=["result"])
    except (NotRunnable, ActionChanged) as error:
        _not_done(approval, str(error))
    except (ApprovalError, Error):
        raise
    except Exception:
        log.exception("approval.execution_failed", approval=approval.pk)
        _not_done(approval, "it failed for a reason of its own, which was logged; nothing was changed")


def _not_done(approval: Approval, reason: str) -> None:
    approval.refresh_from_db(fields=["state", "used_at", "result"])
    close(approval, ApprovalState.FAILED, reason)
