"""Upkeep: old lines of the log go, and what the agent knows is counted. Importance needs none: it is computed when asked."""

from __future__ import annotations

from agents.cortex import log
from agents.cortex.jobs import Result, Work
from memory.queries import count_shelf


def keep_up(work: Work) -> Result:
    pruned = log.prune(work.agent.pk)
    known = count_shelf(work.agent.organization_id, work.agent.pk)
    text = f"{pruned} lines of the log dropped." if pruned else ""
    return Result(text, {"pruned": pruned, **known})
