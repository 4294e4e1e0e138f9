"""Who works on a file: a claim with a lease and a fence, and how it is given back."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils import timezone

from memory import hooks
from memory.ingestion import news
from memory.models import FileState, IngestedFile
from memory.models.ingestion import OPEN_STATES
from realtime.services import unit_of_work

LEASE = timedelta(minutes=4)
"""Longer than reading a file or asking a model may take."""

MAX_TRIES = 3
PAUSES = (timedelta(minutes=1), timedelta(minutes=10))
LONGEST_PAUSE = timedelta(hours=1)
MOST_AT_ONCE = 8
MOST_PER_ORGANIZATION = 2
DIED = f"Working on it was broken off {MAX_TRIES} times."


class Lost(Exception):
    """Somebody else works on the file now, or it is gone."""


@dataclass(frozen=True)
class Held:
    """A claim. Every write goes through `write`, which refuses once the claim is lost."""

    file: IngestedFile
    fence: int

    def write(self, **values: Any) -> None:
        """Change the file, renew the lease and tell who watches, or raise Lost."""
        values.setdefault("claimed_until", timezone.now() + LEASE)
        news_worthy = any(values[name] != getattr(self.file, name) for name in news.SHOWN & values.keys())
        with unit_of_work(savepoint=False):
            if not IngestedFile.objects.filter(pk=self.file.pk, fence=self.fence).update(**values):
                raise Lost
            if news_worthy:
                news.tell(self.file.pk)
        for name in news.SHOWN & values.keys():
            if not isinstance(values[name], Combinable):
                setattr(self.file, name, values[name])


def list_due() -> list[int]:
    """Return files that may be worked on now, few enough that one organization does not hold up others."""
    now = timezone.now()
    rows = IngestedFile.objects.filter(state__in=OPEN_STATES)
    busy = Counter(rows.filter(claimed_until__gt=now).values_list("organization_id", flat=True))
    due: list[int] = []
    for pk, organization_id in (
        rows.filter(_due(now)).order_by("id").values_list("pk", "organization_id")[:500]
    ):
        if busy.total() >= MOST_AT_ONCE:
            break
        if busy[organization_id] < MOST_PER_ORGANIZATION:
            busy[organization_id] += 1
            due.append(pk)
    return due


def claim(file_id: int) -> Held | None:
    """Take a file that is due. One whose workers died three times over is failed instead."""
    now = timezone.now()
    with transaction.atomic():
        rows = IngestedFile.objects.select_for_update(skip_locked=True)
        file = rows.filter(_due(now), pk=file_id, state__in=OPEN_STATES).first()
        if file is None:
            return None
        file.fence += 1
        held = Held(file, file.fence)
        if file.tries >= MAX_TRIES:
            file.save(update_fields=["fence"])
            fail(held, DIED)
            return None
        file.tries += 1
        file.claimed_until = now + LEASE
        file.save(update_fields=["fence", "tries", "claimed_until"])
    return held


def finish(held: Held) -> None:
    """Close a file that was read to its end."""
    with transaction.atomic():
        held.write(state=FileState.DONE, reason="", tries=0, finished_at=timezone.now(), claimed_until=None)
        file = IngestedFile.objects.get(pk=held.file.pk)
        for ingested in hooks.on_ingested:
            ingested(file)


def fail(held: Held, reason: str) -> None:
    with suppress(Lost):
        held.write(
            state=FileState.FAILED, reason=reason[:300], finished_at=timezone.now(), claimed_until=None
        )


def put_off(held: Held, reason: str, *, retry_after_s: float | None = None) -> None:
    """Give the file back for another try later, or fail it after the last."""
    tries = IngestedFile.objects.filter(pk=held.file.pk).values_list("tries", flat=True).first() or MAX_TRIES
    if tries >= MAX_TRIES:
        fail(held, reason)
        return
    pause = max(PAUSES[tries - 1], min(timedelta(seconds=retry_after_s or 0), LONGEST_PAUSE))
    with suppress(Lost):
        held.write(reason=reason[:300], not_before=timezone.now() + pause, claimed_until=None)


def wait(held: Held, reason: str, *, pause: timedelta) -> None:
    """Give the file back until something outside has changed; that is no try."""
    with suppress(Lost):
        held.write(
            reason=reason[:300],
            not_before=timezone.now() + pause,
            claimed_until=None,
            tries=F("tries") - 1,
        )


def _due(now: datetime) -> Q:
    return (Q(not_before=None) | Q(not_before__lte=now)) & (Q(claimed_until=None) | Q(claimed_until__lte=now))
