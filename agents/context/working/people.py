"""Layer 4: who is here, and what is known of them that everyone here may hear."""

from __future__ import annotations

from typing import Any

from agents.context.history import clean_name, one_line
from agents.context.working.layers import Layer, Line, cost, fill, told_text

BUDGET = 400
PROFILE_LINES = 2
PROFILE = 280
DID = 100
HEAD = "# Who is here"


def render_people(content: dict[str, Any]) -> Layer:
    """Render those who spoke last, in a steady order; empty while nothing is known of any of them."""
    people = sorted(content["people"] or (), key=lambda row: row["id"])
    if not any(row["profile"] or row["lately"] for row in people):
        return Layer(4, "Participants", "", BUDGET)
    room = (BUDGET - cost(HEAD)) // len(people)
    lines = [line for row in people for line in fill([_person(row)], room)]
    told = told_text(lines)
    return Layer(4, "Participants", f"{HEAD}\n{told}" if told else "", BUDGET, tuple(lines))


def _person(row: dict[str, Any]) -> Line:
    profile = " ".join(row["profile"].splitlines()[:PROFILE_LINES]) if row["profile"] else ""
    parts = [f"- {clean_name(row['name'])} ({row['role'] or 'guest'})"]
    if profile:
        parts.append(f": {one_line(profile, PROFILE)}")
    if lately := [did["summary"] for did in row["lately"] or ()]:
        parts.append(f" [lately: {'; '.join(one_line(each, DID) for each in lately)}]")
    why = "Takes part; profile and events that everyone here may hear"
    return Line("".join(parts), why)
