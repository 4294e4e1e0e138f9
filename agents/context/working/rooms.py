"""Layer 3: the other conversations of which everyone here knows, because everyone here takes part in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agents.context.history import clean_name, one_line
from agents.context.working.layers import Layer, Line, cost, fill, told_text

BUDGET = 300
TOPIC = 80
HEAD = "# Your other conversations with everyone here"


def render_rooms(content: dict[str, Any], *, zone: ZoneInfo) -> Layer:
    """Render the map. Hours and counts are rounded, so that it does not change with every message elsewhere."""
    lines = fill([_room(row, zone) for row in content["rooms"] or ()], BUDGET - cost(HEAD))
    told = told_text(lines)
    return Layer(3, "Other conversations", f"{HEAD}\n{told}" if told else "", BUDGET, tuple(lines))


def _room(row: dict[str, Any], zone: ZoneInfo) -> Line:
    name = f"“{one_line(clean_name(row['title']), TOPIC)}”" if row["title"] else "without a title"
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    kind = "shared" if row["kind"] == "group" else "private"
    sender = f", last from {clean_name(row['sender'])}" if row["sender"] else ""
    thought = f"; lately: {one_line(row['thought'], TOPIC)}" if row["thought"] else ""
    text = f"- {name} ({kind}): {_about(row['count'])} messages, active {at:%Y-%m-%d, %H}h{sender}{thought}"
    return Line(text, "Everyone here takes part in it", row["id"])


def _about(count: int) -> str:
    """Return a count with one digit that counts."""
    if count < 10:
        return "a few"
    step = 10 ** (len(str(count)) - 1)
    return f"about {count // step * step}"
