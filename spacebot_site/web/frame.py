"""What the frame around every page shows: the rail, the organizations, where the live stream begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, Func, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts.actor import Actor
from accounts.models import Organization, Role
from agents.models import SandboxMode, SandboxSetting
from realtime.notices.queries import unread_notices
from tasks.queries.approvals import decidable


@dataclass(frozen=True)
class Entry:
    """A line of the rail; `g` and then `key` goes there. `waiting` finds the rows that are counted beside it."""

    label: str
    icon: str
    name: str
    key: str
    prefix: str
    level: Role = Role.MEMBER
    waiting: Callable[[Actor], QuerySet[Any]] | None = None


MAIN = (
    Entry("Home", "house", "home", "h", "/home/"),
    Entry("Notices", "bell", "notices", "n", "/notices/", waiting=unread_notices),
    Entry("Chat", "messages-square", "chat", "c", "/chat/"),
    Entry("Board", "square-kanban", "board", "b", "/board/"),
    Entry("Goals", "target", "goals", "o", "/goals/"),
    Entry("Runs", "activity", "runs", "r", "/runs/"),
    Entry("Schedule", "calendar-clock", "schedules", "d", "/schedule/"),
    Entry("Memory", "brain", "memories", "y", "/memory/"),
    Entry("Approvals", "shield-check", "approvals", "v", "/approvals/", waiting=decidable),
    Entry("Agents", "bot", "agents", "a", "/agents/"),
)
SETTINGS = (
    Entry("Models", "cpu", "models", "m", "/settings/models/", Role.ADMIN),
    Entry("Tools", "wrench", "tools", "l", "/settings/tools/"),
    Entry("Autonomy", "gauge", "all_autonomy", "u", "/settings/autonomy/", Role.ADMIN),
    Entry("MCP servers", "plug", "mcp", "e", "/settings/mcp/", Role.ADMIN),
    Entry("Sandbox", "brick-wall", "sandbox", "x", "/settings/sandbox/"),
    Entry("Network", "globe", "network", "w", "/settings/network/", Role.ADMIN),
    Entry("Secrets", "key-round", "secrets", "s", "/settings/secrets/", Role.ADMIN),
    Entry("Members", "users", "members", "p", "/settings/members/"),
    Entry("API tokens", "ticket", "tokens", "t", "/settings/tokens/"),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Add the frame's facts to every template of a page behind the door; a part of a page asks for none of them."""
    found = getattr(request, "frame", None)
    if found is None:
        return {}
    actor, memberships, last_event = found
    facts = SimpleLazyObject(lambda: _facts(actor))
    return {
        "actor": actor,
        "memberships": memberships,
        "last_event": last_event,
        "rail": rail(request.path, actor),
        "rail_counts": facts,
        "without_walls": SimpleLazyObject(lambda: facts["without_walls"]),
    }


def _facts(actor: Actor) -> dict[str, int]:
    """Return what waits behind each entry, in one statement."""
    counted: dict[str, Any] = {
        f"count_{entry.name}": Subquery(
            entry.waiting(actor).order_by().annotate(n=Func(F("pk"), function="count")).values("n")
        )
        for entry in MAIN
        if entry.waiting
    }
    rows = Organization.objects.filter(pk=actor.organization.pk)
    bare = SandboxSetting.objects.filter(organization=OuterRef("pk"), mode=SandboxMode.NONE)
    counted["without_walls"] = Exists(bare)
    names = tuple(counted)
    row = zip(names, rows.annotate(**counted).values_list(*names).get(), strict=True)
    return {name.removeprefix("count_"): value for name, value in row}


def rail(path: str, actor: Actor) -> dict[str, list[dict[str, Any]]]:
    def shown(entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
        return [
            {
                "label": entry.label,
                "name": entry.name,
                "icon": entry.icon,
                "key": entry.key,
                "url": reverse(entry.name),
                "current": path.startswith(entry.prefix),
                "counts": entry.waiting is not None,
            }
            for entry in entries
            if actor.has_level(entry.level)
        ]

    main, settings = shown(MAIN), shown(SETTINGS)
    return {"main": main, "settings": settings, "all": main + settings}
