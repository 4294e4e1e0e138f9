"""The days of an agent: it lives in its own time zone, or in its organization's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from agents.models import Agent


def zone_for(settings: dict[str, Any], organization_zone: str) -> ZoneInfo:
    """Return the zone an agent's settings name, else its organization's; UTC for one that is not known here."""
    return _zone(str(settings.get("time_zone") or organization_zone))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo("UTC")


def load_zone(agent_id: int) -> ZoneInfo:
    """Return the zone of an agent; one query."""
    settings, zone = Agent.objects.values_list("settings", "organization__time_zone").get(pk=agent_id)
    return zone_for(settings, zone)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the midnight at which the day begins."""
    return datetime.combine(day, time(), zone)


def days_before(day: date, count: int) -> date:
    return day - timedelta(days=count)
