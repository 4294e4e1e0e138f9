"""What the gate costs a call that is not a transaction's: all it asks before and writes after, without the tool's own work."""

from __future__ import annotations

import time

from agents.engine.claims import claim
from agents.models import RunKind
from agents.processes.registry import process_for
from agents.tools.gate import Gate
from llm.types import ToolCall
from spacebot_site.bench.approval_attacks.arena import build_arena, forget_scripts
from spacebot_site.bench.report import Value, percentile

CALLS = 300


def measure(*, quick: bool) -> dict[str, Value]:
    gate = _gate()
    took = []
    for number in range(CALLS // (4 if quick else 1)):
        call = ToolCall(f"call{number}", "list_files", '{"path": "."}')
        gate.guard.history.clear()  # The same call over and over is what the guard is there to stop.
        gate.guard.outcomes.clear()
        began = time.perf_counter()
        prepared = gate.prepare(0, call)
        gate.run_external(prepared, f"bench.{number}")
        took.append((time.perf_counter() - began) * 1_000)
        assert prepared.state == "succeeded", prepared.result
    return {"gate_p50_ms": round(percentile(took, 0.5), 2)}


def _gate() -> Gate:
    """Return the gate of a worker that has just been claimed."""
    run = build_arena().room().run(RunKind.WORKER)
    claimed = claim(run.pk, run.kind, run.conversation_id)
    assert claimed is not None
    run.refresh_from_db()
    forget_scripts()
    return Gate(process_for(run, claimed))
