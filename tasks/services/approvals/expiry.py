"""Closing what nobody decided, or what was approved and not run, in time."""

from __future__ import annotations

from django.utils import timezone

from realtime.services import unit_of_work
from tasks.models import PENDING_STATES, Approval, ApprovalState
from tasks.services.approvals.asking import close
from tasks.services.approvals.kinds import executor_for

AT_ONCE = 100


def expire_due() -> int:
    """Expire what is due and tell who asked; return how much it was. Safe to run anywhere, at any time, twice."""
    states = [*PENDING_STATES, ApprovalState.APPROVED]
    due = Approval.objects.filter(state__in=states, expires_at__lte=timezone.now()).order_by("expires_at")
    count = 0
    for found in list(due[:AT_ONCE]):
        with unit_of_work():
            executor_for(found.kind).hold(found)
            approval = Approval.objects.select_for_update().get(pk=found.pk)
            if approval.state in states and approval.expires_at <= timezone.now():
                close(
                    approval,
                    ApprovalState.EXPIRED,
                    "nobody decided in time" if approval.is_pending else "it was not run in time",
                )
                count += 1
    return count
