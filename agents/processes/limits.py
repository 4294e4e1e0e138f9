"""How long a child may run, from the agent's settings."""

from __future__ import annotations

from agents.models import Agent, RunKind

DEFAULT_ACTIVE_LIMIT_S = {RunKind.BRANCH: 300, RunKind.WORKER: 1_800}


def active_limit_s(agent: Agent, kind: RunKind) -> int:
    """Return the seconds of active time; `branch_limit_s` and `worker_limit_s` in the agent's settings change it."""
    return int(agent.settings.get(f"{kind}_limit_s", DEFAULT_ACTIVE_LIMIT_S[kind]))
