"""What no summary tells yet, and when that is due. Deciding is pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min

from agents.context.days import day_of, start_of
from agents.models import Synthesis, SynthesisKind, WorkingEvent

AFTER_EVENTS = 15
AFTER = timedelta(hours=4)
GRACE = timedelta(minutes=5)
"""How long after midnight a day is over: what was under way then may still be committed."""
MOST_EVENTS = 40
"""How many events one summary stands for; a day with more is first summed up in parts."""


@dataclass
class OpenDay:
    """What an audience's day holds that no summary, or no summary of the day, tells yet."""

    events: int = 0
    first_at: datetime | None = None
    paragraphs: int = 0

    @property
    def size(self) -> int:
        return self.events + self.paragraphs


OpenDays = dict[date, OpenDay]


def list_open() -> dict[int, dict[int, OpenDays]]:
    """Return what is open, by agent and reach; two queries."""
    found: dict[int, dict[int, OpenDays]] = defaultdict(lambda: defaultdict(lambda: defaultdict(OpenDay)))
    events = WorkingEvent.objects.filter(synthesis=None).order_by().values_list("agent_id", "reach", "day")
    for agent_id, reach, day, count, first_at in events.annotate(Count("pk"), Min("created_at")):
        found[agent_id][reach][day].events = count
        found[agent_id][reach][day].first_at = first_at
    paragraphs = Synthesis.objects.filter(kind=SynthesisKind.INTRADAY, rolled_into=None).order_by()
    for agent_id, reach, day, count in paragraphs.values_list("agent_id", "reach", "day").annotate(
        Count("pk")
    ):
        found[agent_id][reach][day].paragraphs = count
    return found


def due(found: OpenDay, day: date, *, now: datetime, zone: ZoneInfo) -> SynthesisKind | None:
    """Return what is to be made of an audience's day now; None while it must wait."""
    today = day_of(now, zone)
    if day < today:
        if now < start_of(today, zone) + GRACE:
            return None
        return SynthesisKind.DAILY if found.events <= MOST_EVENTS else SynthesisKind.INTRADAY
    if day > today or found.first_at is None:
        return None
    if found.events >= AFTER_EVENTS or now - found.first_at >= AFTER:
        return SynthesisKind.INTRADAY
    return None
