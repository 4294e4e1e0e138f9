"""What an agent knows, as its prompt shows it: rendered without a model, for exactly those who listen."""

from __future__ import annotations

import time

from agents.context.history import indent
from memory.listeners import Listeners
from memory.models import Memory
from memory.recall import recall

MOST_WORDS = 500
MOST = 40
HEADINGS = {
    "identity": "About yourself",
    "preference": "Preferences",
    "decision": "Decisions",
    "goal": "Goals",
    "todo": "To do",
    "fact": "Facts",
    "event": "Events",
    "observation": "Observations",
}
EMPTY_FOR_S = 5.0

_empty: dict[int, float] = {}


def render_knowledge(organization_id: int, agent_id: int, listeners: Listeners) -> str:
    """Return the most important things that every listener may hear, at most 500 words; empty if there is none.

    What came from outside is left out: it is found by recall, marked as such. An agent without memories costs one query
    in five seconds and process.
    """
    if _knows_nothing(agent_id):
        return ""
    found = recall(
        "",
        organization_id=organization_id,
        agent_id=agent_id,
        listeners=listeners,
        mode="important",
        limit=MOST,
    )
    room, lines = MOST_WORDS, dict[str, list[str]]()
    for row in found:
        words = len(row.content.split())
        if not row.trusted or row.type not in HEADINGS or words > room:
            continue
        room -= words
        lines.setdefault(row.type, []).append(f"- {indent(row.content)}")
    parts = [f"{heading}\n" + "\n".join(lines[kind]) for kind, heading in HEADINGS.items() if kind in lines]
    return "# What you know\n" + "\n\n".join(parts) if parts else ""


def _knows_nothing(agent_id: int) -> bool:
    now = time.monotonic()
    if _empty.get(agent_id, 0) > now:
        return True
    if Memory.objects.filter(agent_id=agent_id, forgotten_at=None).exists():
        _empty.pop(agent_id, None)
        return False
    _empty[agent_id] = now + EMPTY_FOR_S
    return True
