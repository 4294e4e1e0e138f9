"""Which gateway runs the adapter of a platform account, and how it fares. One account, one gateway."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from messaging.adapters.registry import ADAPTERS
from messaging.models import PlatformAccount

LEASE_S = 30.0


def list_connectable() -> list[PlatformAccount]:
    """Return the enabled accounts of platforms that need a connection; one query, all there is when idle."""
    network = [name for name, adapter in ADAPTERS.items() if not adapter.capabilities.delivered_by_event]
    return list(PlatformAccount.objects.filter(enabled=True, platform__in=network).order_by("pk"))


def lease(account_ids: Collection[int], *, holder: str) -> set[int]:
    """Take or renew the lease of these accounts where nobody else holds it; return those that are held now."""
    now = timezone.now()
    free = Q(leased_by="") | Q(leased_by=holder) | Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    held = PlatformAccount.objects.filter(free, pk__in=account_ids, enabled=True)
    held.update(leased_by=holder, lease_expires_at=now + timedelta(seconds=LEASE_S))
    mine = PlatformAccount.objects.filter(pk__in=account_ids, leased_by=holder, lease_expires_at__gt=now)
    return set(mine.values_list("pk", flat=True))


def release(account_id: int, *, holder: str) -> None:
    """Give the account back at once, so that another gateway need not wait for the lease to run out."""
    PlatformAccount.objects.filter(pk=account_id, leased_by=holder).update(
        leased_by="", lease_expires_at=None, state="stopped", state_reason=""
    )


def set_state(account_id: int, *, holder: str, state: str, reason: str = "") -> None:
    """Show how the connection fares; refused silently to a gateway that lost the lease."""
    PlatformAccount.objects.filter(pk=account_id, leased_by=holder).update(
        state=state, state_reason=reason[:300]
    )
