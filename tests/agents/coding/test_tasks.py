"""Coding agents that others wrote do tasks for us: within walls, through the gate, with our models."""

from __future__ import annotations

from agents.models import RunState
from llm.clients.scripted import say
from tests.agents.coding.conftest import Coding


def test_a_task_is_done_and_every_call_is_recorded(either: Coding) -> None:
    either.engine.workspace.mkdir(parents=True)
    (either.engine.workspace / "notes.txt").write_text("one\n")
    either.script(
        either.bash("echo hello > made.txt; echo loud") + either.read("notes.txt"),
        either.write("b.txt", "written"),
    )
    run = either.start()
    assert (run.state, run.outcome, run.result) == (RunState.SUCCEEDED, "done", {"text": "I did it."}), (
        run.failure
    )
    assert {(name, state) for name, state, _ in either.calls()} == {
        ("shell", "succeeded"),
        ("read_file", "succeeded"),
        ("write_file", "succeeded"),
    }
    assert "loud" in next(result for name, _, result in either.calls() if name == "shell")
    assert (either.engine.workspace / "b.txt").read_text() == "written"


def test_what_it_says_is_the_result_without_the_line_of_its_outcome(coding: Coding) -> None:
    coding.script(say("Half is done.\n\n**Outcome: partial**\n"))
    run = coding.start()
    assert (run.outcome, run.result) == ("partial", {"text": "Half is done."})


def test_words_about_an_outcome_are_no_outcome(coding: Coding) -> None:
    coding.script(say("Outcome: partial\n\nI go on.\nOutcome: done of the first part"))
    run = coding.start()
    assert (run.outcome, run.result) == ("partial", {"text": "I go on.\nOutcome: done of the first part"})
