"""The job that ties memories; what is tied is decided in `memory.services.associations`."""

from __future__ import annotations

from agents.cortex.jobs import Result, Work
from memory.services.associations import Mark, associate_new


def associate(work: Work) -> Result:
    done = associate_new(work.agent.organization_id, work.agent.pk, Mark.read(work.cursor))
    parts = [
        f"{done.drawn} edges drawn" if done.drawn else "",
        f"{done.removed} removed" if done.removed else "",
        f"{done.offered} pairs for people to merge" if done.offered else "",
    ]
    text = ", ".join(part for part in parts if part)
    detail = {
        "looked_at": done.looked_at,
        "drawn": done.drawn,
        "removed": done.removed,
        "offered": done.offered,
        "waits_for_vectors": done.waits,
    }
    return Result(f"{text}." if text else "", detail, done.mark.store(), is_behind=done.is_behind)
