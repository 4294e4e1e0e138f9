"""The real opencode does tasks for us: within walls, through the gate, with our models."""

from __future__ import annotations

from agents.models import RunState
from llm.clients.scripted import call
from tests.agents.coding.conftest import Coding


def test_a_task_is_done_and_every_call_is_recorded(coding: Coding) -> None:
    coding.engine.workspace.mkdir(parents=True)
    (coding.engine.workspace / "notes.txt").write_text("one\n")
    coding.script(
        call("bash", command="echo hello > made.txt; echo loud", description="make a file")
        + call("read", filePath=str(coding.engine.workspace / "notes.txt")),
        call("write", filePath=str(coding.engine.workspace / "b.txt"), content="written"),
    )
    run = coding.start()
    assert (run.state, run.outcome, run.result) == (RunState.SUCCEEDED, "done", {"text": "I did it."}), (
        run.failure
    )
    assert {(name, state) for name, state, _ in coding.calls()} == {
        ("shell", "succeeded"),
        ("read_file", "succeeded"),
        ("write_file", "succeeded"),
    }
    assert "loud" in next(result for name, _, result in coding.calls() if name == "shell")
    assert (coding.engine.workspace / "b.txt").read_text() == "written"
