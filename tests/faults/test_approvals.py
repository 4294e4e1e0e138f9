"""A worker that is killed anywhere between an approval and its execution: it happens once, or is told to be unknown."""

from __future__ import annotations

import signal

import pytest

from accounts.boundaries import APPROVAL_BOUNDARIES
from agents.models import CallState, Policy, Run, RunState, ToolCall, ToolPolicy
from tasks.models import Approval, ApprovalState
from tasks.services.approvals.deciding import decide
from tests.agents.conftest import Engine
from tests.faults.conftest import Victim

pytestmark = pytest.mark.slow

DEATHS = {
    "append_file": (*APPROVAL_BOUNDARIES, "tool.before", "tool.after"),
    "write_file": ("approval.committed", "tool.after"),
}
"""Not safe to repeat, and safe."""


@pytest.mark.parametrize("tool", DEATHS)
def test_an_approved_call_runs_once_whichever_boundary_its_worker_dies_at(
    engine: Engine,
    victim: Victim,
    tool: str,
) -> None:
    ToolPolicy.objects.create(organization=engine.team.organization, tool=tool, policy=Policy.ASK)
    for number, boundary in enumerate(DEATHS[tool]):
        mark = f"m-{engine.conversation.pk}-{number}"
        engine.say(f"work {mark}")
        assert victim("worker", "work") == 0
        waiting = Approval.objects.get(state=ApprovalState.OPEN)
        decide(engine.team.moderator, waiting.pk, "approve")
        victim.arm("worker", boundary)
        assert victim("worker", "work") == -signal.SIGKILL, f"nothing died at {boundary}"
        assert victim("worker", "work") == 0
        call = ToolCall.objects.get(key=waiting.origin_key)
        waiting.refresh_from_db()
        assert waiting.state == ApprovalState.EXECUTED
        known = call.state == CallState.SUCCEEDED
        assert known or (call.state == CallState.UNKNOWN and "unknown" in call.result and not call.repeatable)
        _finish(engine, victim)
        _check_files(engine, mark, boundary)
    assert not Run.objects.filter(kind="worker").exclude(state=RunState.SUCCEEDED).exists()


def _finish(engine: Engine, victim: Victim) -> None:
    while (more := Approval.objects.filter(state=ApprovalState.OPEN).first()) is not None:
        decide(engine.team.moderator, more.pk, "approve")
        assert victim("worker", "work") == 0


def _check_files(engine: Engine, mark: str, boundary: str) -> None:
    """No line stands twice; a call of unknown result may have left its line out, and no other."""
    lines = (engine.workspace / f"{mark}.log").read_text().splitlines()
    unknown = ToolCall.objects.filter(arguments__path=f"{mark}.log", state=CallState.UNKNOWN).count()
    assert len(lines) == len(set(lines)), boundary
    assert 2 - unknown <= len(lines) <= 2, boundary
    assert (engine.workspace / f"{mark}.txt").read_text() == f"whole {mark}\n"
