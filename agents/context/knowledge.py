"""What an agent knows, as its prompt shows it: rendered without a model, for exactly those who listen."""

from __future__ import annotations

import time

from django.db import transaction

from agents.context.history import indent
from memory.listeners import Listeners
from memory.models import Memory
from memory.recall import Recalled, recall

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

    An agent without memories costs one query in five seconds and process.
    """
    if _knows_nothing(agent_id):
        return ""
    told, _ = choose_knowledge(organization_id, agent_id, listeners)
    lines = dict[str, list[str]]()
    for row in told:
        lines.setdefault(row.type, []).append(f"- {indent(row.content)}")
    parts = [f"{heading}\n" + "\n".join(lines[kind]) for kind, heading in HEADINGS.items() if kind in lines]
    return "# What you know\n" + "\n\n".join(parts) if parts else ""


def choose_knowledge(
    organization_id: int, agent_id: int, listeners: Listeners
) -> tuple[list[Recalled], list[tuple[Recalled, str]]]:
    """Return what is told, most important first, and what comes close with the reason why it is left out.

    What came from outside is left out: it is found by recall, marked as such.
    """
    found = recall(
        "",
        organization_id=organization_id,
        agent_id=agent_id,
        listeners=listeners,
        mode="important",
        limit=MOST,
    )
    room, told, left_out = MOST_WORDS, list[Recalled](), list[tuple[Recalled, str]]()
    for row in found:
        words = len(row.content.split())
        if not row.trusted:
            left_out.append((row, "It came from outside"))
        elif row.type not in HEADINGS:
            left_out.append((row, "It describes a person"))
        elif words > room:
            left_out.append((row, "There was no room left"))
        else:
            room -= words
            told.append(row)
    return told, left_out


def forget_empty(agent_id: int) -> None:
    """Look again the next time: something was learned, once the transaction is committed."""
    transaction.on_commit(lambda: _empty.pop(agent_id, None))


def _knows_nothing(agent_id: int) -> bool:
    now = time.monotonic()
    if _empty.get(agent_id, 0) > now:
        return True
    if Memory.objects.filter(agent_id=agent_id, forgotten_at=None).exists():
        _empty.pop(agent_id, None)
        return False
    _empty[agent_id] = now + EMPTY_FOR_S
    return True
