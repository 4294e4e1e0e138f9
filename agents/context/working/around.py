"""Layers 2 to 4 together, kept by content."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.utils import timezone

from agents.context.days import day_of, zone_for
from agents.context.history import clean_name, one_line
from agents.context.working.event_log import render_event_log
from agents.context.working.layers import Layer
from agents.context.working.people import render_people
from agents.context.working.rooms import render_rooms
from agents.context.working.snapshot import Snapshot, read_snapshot
from agents.models import Agent
from memory.models import EVERYONE
from messaging.models import Conversation

KEPT = 512
TITLE = 40


@dataclass(frozen=True)
class Around:
    """What a conversation's prompt is told of what goes on around it; `names` are those who take part."""

    names: tuple[str, ...]
    log: Layer
    rooms: Layer
    people: Layer

    @property
    def text(self) -> str:
        """Return the layers as one part of a prompt, the steadiest first."""
        return "\n\n".join(layer.text for layer in (self.people, self.rooms, self.log) if layer.text)


def look_around_for(agent: Agent, conversation: Conversation) -> Around:
    """Return what everyone in the conversation may hear; one query."""
    snapshot = read_snapshot(agent, conversation)
    content = json.loads(snapshot.content)
    zone = zone_for(agent.settings, content["zone"])
    return _render(snapshot, zone.key, day_of(timezone.now(), zone))


@lru_cache(maxsize=KEPT)
def _render(snapshot: Snapshot, zone_name: str, today: date) -> Around:
    content = json.loads(snapshot.content)
    zone = zone_for({}, zone_name)
    place = _place(content, snapshot.room)
    return Around(
        names=tuple(clean_name(name) for name in content["names"] or ()),
        log=render_event_log(content, zone=zone, today=today, place=place),
        rooms=render_rooms(content, zone=zone),
        people=render_people(content),
    )


def _place(content: dict[str, list[dict[str, str | int]] | None], room: int) -> Callable[[int], str]:
    """Return what to say of where something happened: nothing for here and for what is private or everyone's."""
    titles = {int(row["id"]): str(row["title"]) for row in content["rooms"] or ()}

    def place(reach: int) -> str:
        if reach in (EVERYONE, room) or reach < EVERYONE:
            return ""
        title = titles.get(reach, "")
        return f" (in “{one_line(clean_name(title), TITLE)}”)" if title else " (in another conversation)"

    return place
