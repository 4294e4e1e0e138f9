"""Which coding agent does an agent's coding tasks: the one its settings name, or the first that is installed."""

from __future__ import annotations

from pathlib import Path

from agents.coding.claude.backend import Claude
from agents.coding.errors import NoBackend
from agents.coding.opencode.backend import Opencode
from agents.coding.types import Backend
from agents.models import Agent

BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (Opencode(), Claude())}
OFF, AUTO = "off", "auto"
INSTEAD = "The built-in worker has shell and files too: leave worker_type out."


def choose(agent: Agent, *, name: str = "") -> tuple[Backend, Path]:
    """Return the backend and its program; `name` is that of a session which has begun. Raises NoBackend."""
    wanted = name or str(agent.settings.get("coding") or AUTO)
    if wanted == OFF:
        raise NoBackend("coding agents are switched off for this agent")
    if wanted != AUTO:
        return BACKENDS[wanted], BACKENDS[wanted].find()
    reasons = []
    for backend in BACKENDS.values():
        try:
            return backend, backend.find()
        except NoBackend as error:
            reasons.append(str(error))
    raise NoBackend("; ".join(reasons))
