"""What the board must know of agents and their runs, who live in a higher package: the site hands it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from accounts.actor import Actor
from tasks.errors import NotStartable
from tasks.models import Task


def _nobody(organization_id: int) -> Mapping[int, str]:
    return {}


def _no_start(actor: Actor, task: Task) -> int:
    raise NotStartable("There are no workers here.")


@dataclass(frozen=True)
class Workforce:
    """`names(organization_id)` are its agents by id. `start(actor, task)` makes a worker's run in the current
    transaction and returns its id. `stop(actor, run_id, reason)` asks it to end. `tell(run_id, text, key)` lets it
    read something at its next step, once per key."""

    names: Callable[[int], Mapping[int, str]] = _nobody
    start: Callable[[Actor, Task], int] = _no_start
    stop: Callable[[Actor, int, str], object] = lambda actor, run_id, reason: None
    tell: Callable[[int, str, str], object] = lambda run_id, text, key: None


_workforce = Workforce()


def set_workforce(workforce: Workforce) -> None:
    global _workforce
    _workforce = workforce


def workforce() -> Workforce:
    return _workforce
