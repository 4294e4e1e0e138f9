"""Who listens, where and for what; and a way in which what is remembered becomes text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.leaks.world import ROOMS, World


@dataclass(frozen=True)
class Case:
    """Who is there, where, who asks, and for what. A path uses what concerns it."""

    present: frozenset[str]
    room: str | None
    user: str
    query: str
    mode: str
    types: tuple[str, ...]
    pick: int

    @property
    def place(self) -> str:
        return self.room or "pair"

    @property
    def state(self) -> int:
        return self.pick % 3

    @property
    def around(self) -> int:
        """Return one of a few picks."""
        return self.pick % 12

    @property
    def past(self) -> int:
        return self.pick % 6


Ears = Callable[[Case], frozenset[str]]


def hear_people(case: Case) -> frozenset[str]:
    return case.present | (frozenset(ROOMS[case.room]) if case.room else frozenset())


def hear_room(case: Case) -> frozenset[str]:
    return frozenset(ROOMS[case.place])


def hear_user(case: Case) -> frozenset[str]:
    return frozenset({case.user})


@dataclass(frozen=True)
class Path:
    text: Callable[[World, Case], str]
    ears: Ears
    varies: tuple[str, ...] = ()
    """With what of a case, besides the listeners, its text varies."""
    is_memory: bool = True
    retired: bool = False
    log: bool = False
    """It tells what happened, and so what was true before it was replaced; but nothing that was forgotten."""
    everywhere: bool = False
    """`everywhere`: it shows what any agent of the organization knows, not what one does."""

    def agent(self, world: World, case: Case) -> str | None:
        if self.everywhere:
            return None
        return world.agent_of(case.place) if self.ears is hear_room else "spacebot"

    def key(self, case: Case) -> tuple[Any, ...]:
        """Return what of a case its text depends on, so that nothing is asked twice."""
        where = {hear_people: (case.present, case.room), hear_room: case.place, hear_user: case.user}
        return (where[self.ears], *(getattr(case, name) for name in self.varies))


def as_user(text: Callable[[World, Case], str], **more: Any) -> Path:
    return Path(text, hear_user, **{"is_memory": False, "everywhere": True, **more})
