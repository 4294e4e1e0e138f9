"""What the frame around every page shows: the rail, the organizations, where the live stream begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Role
from realtime.queries import last_number


@dataclass(frozen=True)
class Entry:
    """A line of the rail; `g` and then `key` goes there."""

    label: str
    icon: str
    name: str
    key: str
    prefix: str
    level: Role = Role.MEMBER


MAIN = (
    Entry("Home", "house", "home", "h", "/home/"),
    Entry("Chat", "messages-square", "chat", "c", "/chat/"),
    Entry("Runs", "activity", "runs", "r", "/runs/"),
    Entry("Schedule", "calendar-clock", "schedules", "d", "/schedule/"),
    Entry("Memory", "brain", "memories", "y", "/memory/"),
    Entry("Agents", "bot", "agents", "a", "/agents/"),
)
SETTINGS = (
    Entry("Models", "cpu", "models", "m", "/settings/models/", Role.ADMIN),
    Entry("Secrets", "key-round", "secrets", "s", "/settings/secrets/", Role.ADMIN),
    Entry("Members", "users", "members", "p", "/settings/members/"),
    Entry("API tokens", "ticket", "tokens", "t", "/settings/tokens/"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Add the frame's facts to every template of a page behind the door."""
    found = getattr(request, "frame", None)
    if found is None:
        return {}
    actor, memberships = found
    entries = rail(request.path, actor)
    return {
        "actor": actor,
        "memberships": memberships,
        "last_event": last_number(actor.organization.pk),
        "rail": entries,
    }


def rail(path: str, actor: Actor) -> dict[str, list[dict[str, Any]]]:
    def shown(entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
        return [
            {
                "label": entry.label,
                "icon": entry.icon,
                "key": entry.key,
                "url": reverse(entry.name),
                "current": path.startswith(entry.prefix),
            }
            for entry in entries
            if actor.has_level(entry.level)
        ]

    main, settings = shown(MAIN), shown(SETTINGS)
    return {"main": main, "settings": settings, "all": main + settings}
