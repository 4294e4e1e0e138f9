"""What the pages say about agents that work by themselves: the dial, the state, a stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agents.autonomy import pausing
from agents.autonomy.explaining import Doing, State
from agents.models import Halt
from tasks.models import Level, WakeState

LEVELS = {
    Level.OFF: ("circle-off", "Off", "Does nothing by itself. It still answers people."),
    Level.OBSERVE: ("eye", "Observe", "Reads the board, recalls, and remembers what matters to everyone."),
    Level.SUGGEST: (
        "lightbulb",
        "Suggest",
        "Also proposes tasks and goals, mends proposals and comments. People decide.",
    ),
    Level.ACT: ("zap", "Act", "Also starts tasks that people have approved, within its limits."),
}
SIGNS = {
    Doing.OFF: ("circle-off", "Off", ""),
    Doing.PAUSED: ("circle-pause", "Paused", "badge-warn"),
    Doing.WORKING: ("activity", "Works", "badge-accent"),
    Doing.RESTING: ("moon", "Rests", "badge-bad"),
    Doing.OUTSIDE: ("moon", "Outside its hours", ""),
    Doing.SPENT: ("hourglass", "Has worked its time", ""),
    Doing.DUE: ("bell", "Woken", "badge-accent"),
    Doing.WAITING: ("clock", "Waits", "badge-good"),
}
UNTIL = {
    Doing.RESTING: "Goes on",
    Doing.OUTSIDE: "Begins",
    Doing.SPENT: "Goes on",
    Doing.DUE: "Looks",
    Doing.WAITING: "Next look",
}
QUEUE_BADGES = {
    WakeState.PENDING: ("badge-warn", "Waits"),
    WakeState.TAKEN: ("badge-accent", "A run is at it"),
    WakeState.DONE: ("badge-good", "Dealt with"),
    WakeState.DROPPED: ("badge-bad", "Given up"),
}


@dataclass(frozen=True)
class Stop:
    """One place of the dial."""

    value: str
    icon: str
    label: str
    does: str
    is_set: bool
    is_above: bool


def dial(level: str, ceiling: str = Level.ACT) -> list[Stop]:
    most = Level(ceiling).rank
    return [
        Stop(each.value, icon, label, does, each == level, each.rank > most)
        for each, (icon, label, does) in LEVELS.items()
    ]


def label_of(level: str) -> str:
    return LEVELS[Level(level)][1]


def state_line(state: State) -> dict[str, Any]:
    icon, word, badge = SIGNS[state.doing]
    return {
        "icon": icon,
        "word": word,
        "badge": badge,
        "until_word": UNTIL.get(state.doing, ""),
        "state": state,
    }


def stop_shown(row: Halt | None) -> dict[str, Any] | None:
    """Return how far a stop is: the time to full stop once nothing is left."""
    if row is None:
        return None
    progress = pausing.progress_of(row)
    took = progress.took
    return {
        "halt": row,
        "progress": progress,
        "took_ms": took.total_seconds() * 1000 if took is not None else None,
    }
