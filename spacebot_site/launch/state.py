"""What the supervisor tells the others about itself and its children, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from spacebot_site.launch.home import read_private, write_private
from spacebot_site.launch.os_processes import Identity, is_alive


@dataclass
class Child:
    """One row of the table as it stands. `state`: waiting, starting, healthy, unhealthy or stopped."""

    name: str
    state: str = "waiting"
    pid: int | None = None
    started: str = ""
    since: float = 0.0
    deaths: int = 0
    restarts: int = 0
    reason: str = ""
    last_lines: list[str] = field(default_factory=list)

    @property
    def identity(self) -> Identity | None:
        return Identity(self.pid, self.started) if self.pid else None


@dataclass
class State:
    pid: int
    started: str
    port: int
    address: str
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        return Identity(self.pid, self.started)

    @property
    def is_healthy(self) -> bool:
        return bool(self.children) and all(child.state == "healthy" for child in self.children.values())


def state_path(home: Path) -> Path:
    return home / "run" / "state.json"


def write_state(home: Path, state: State) -> None:
    write_private(state_path(home), json.dumps(asdict(state)))


def find_state(home: Path) -> State | None:
    """Return what a supervisor of this home last wrote, whether or not it still runs."""
    try:
        found: dict[str, Any] = json.loads(read_private(state_path(home)) or "null") or {}
        children = {name: Child(**child) for name, child in found.pop("children").items()}
        return State(**found, children=children)
    except (ValueError, TypeError, KeyError):
        return None


def find_running(home: Path) -> State | None:
    """Return the state of the supervisor that runs now, None when there is none."""
    state = find_state(home)
    return state if state and is_alive(state.identity) else None
