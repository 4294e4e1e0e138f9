"""Erasing what approvals say: of conversations a person was in, and of the runs there. That they were decided stays."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet

from tasks.models import PENDING_STATES, Approval, ApprovalState, Decision, Grant

ERASED = "[erased]"


def erase_approvals_of(organization_id: int, conversations: Collection[int], run_ids: Collection[int]) -> int:
    """Blank what is closed there, and end grants that quote it; return how many approvals it were."""
    rows = Approval.objects.filter(
        Q(conversation_id__in=conversations) | Q(run_id__in=run_ids), organization_id=organization_id
    )
    Grant.objects.filter(organization_id=organization_id, conversation_id__in=conversations).delete()
    return blank(rows)


def blank(rows: QuerySet[Approval]) -> int:
    """Take the words out of those that are closed."""
    closed = rows.exclude(state__in=[*PENDING_STATES, ApprovalState.APPROVED])
    ids = list(closed.values_list("pk", flat=True))
    Decision.objects.filter(approval_id__in=ids).update(comment="")
    return Approval.objects.filter(pk__in=ids).update(
        action={}, title=ERASED, why="", preview=[], discussion=[], reason="", result=""
    )
