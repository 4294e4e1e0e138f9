"""What a coding agent wants that people have a say in: approvals, refusals, questions, follow-ups, stopping."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection

from agents.coding.heard import HeardSession
from agents.models import Policy, Question, RunState
from agents.questions import services as questions
from agents.services.runs import cancel_run
from llm.clients.scripted import call, say
from llm.types import AssistantMessage, UserMessage
from tasks.models import Approval, ApprovalState
from tasks.services.approvals.deciding import decide
from tests.agents.coding.conftest import Coding
from tests.agents.sandbox.test_launcher import IGNORES_AND_DETACHES, mark, survivors

MAKE = "echo hi > made.txt; echo loud"


def test_a_call_that_asks_waits_and_runs_once_when_it_is_approved(either: Coding) -> None:
    either.policy("shell", Policy.ASK)
    either.script(either.bash(MAKE), either.bash(MAKE), say("Made.\n\nOutcome: done"))
    run = either.start()
    made = either.engine.workspace / "made.txt"
    assert (run.state, run.waiting_for, made.exists()) == (RunState.WAITING, "approval", False)
    approval = Approval.objects.get()
    assert approval.action["arguments"] == {"command": "echo hi > made.txt; echo loud", "folder": ""}
    decide(either.engine.team.moderator, approval.pk, "approve")
    either.engine.settle()
    run.refresh_from_db()
    approval.refresh_from_db()
    assert (run.state, run.result) == (RunState.SUCCEEDED, {"text": "Made."}), run.failure
    assert (approval.state, made.read_text()) == (ApprovalState.EXECUTED, "hi\n")
    [(name, state, result)] = either.calls()
    assert (name, state, result.strip()) == ("shell", "succeeded", "loud")


def test_another_call_does_not_ride_on_an_approval(either: Coding) -> None:
    either.policy("shell", Policy.ASK)
    other = either.bash("echo other > made.txt")
    partial = say("I wanted something else.\n\nOutcome: partial")
    either.script(either.bash(MAKE), other, partial, partial)
    run = either.start()
    decide(either.engine.team.moderator, Approval.objects.get().pk, "approve")
    either.engine.settle()
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.SUCCEEDED, "partial")
    assert not (either.engine.workspace / "made.txt").exists()
    assert Approval.objects.count() == 1


def test_the_same_command_in_another_folder_is_another_call(coding: Coding) -> None:
    coding.policy("shell", Policy.ASK)
    (coding.engine.workspace / "elsewhere").mkdir(parents=True)
    there = call("bash", command=MAKE, description="make a file", workdir=coding.path("elsewhere"))
    partial = say("I wanted it elsewhere.\n\nOutcome: partial")
    coding.script(coding.bash(MAKE), there, partial, partial)
    run = coding.start()
    decide(coding.engine.team.moderator, Approval.objects.get().pk, "approve")
    coding.engine.settle()
    run.refresh_from_db()
    assert (run.state, run.outcome) == (RunState.SUCCEEDED, "partial")
    assert list(coding.engine.workspace.rglob("made.txt")) == []


def test_a_program_that_went_on_while_its_run_lay_down_fails_it(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    coding.policy("shell", Policy.ASK)
    coding.script(coding.bash(MAKE))
    monkeypatch.setattr(HeardSession, "last_breach", lambda self: "It went on by itself.")
    run = coding.start()
    assert (run.state, run.failure) == (
        RunState.FAILED,
        {"class": "Crash", "message": "It went on by itself."},
    )
    assert Approval.objects.get().state == ApprovalState.WITHDRAWN
    assert run.reports.get().text == "It went on by itself."


def test_a_rejected_call_is_told_and_the_session_goes_on(either: Coding) -> None:
    either.policy("shell", Policy.ASK)
    either.script(either.bash(MAKE), say("Then not.\n\nOutcome: partial"))
    run = either.start()
    decide(either.engine.team.moderator, Approval.objects.get().pk, "reject", comment="not today")
    either.engine.settle()
    run.refresh_from_db()
    assert (run.state, run.outcome, run.result) == (RunState.SUCCEEDED, "partial", {"text": "Then not."})
    assert "not today" in either.heard()
    assert len([m for m in either.asked[-1].messages if isinstance(m, AssistantMessage)]) == 1


def test_a_tool_that_is_off_is_refused_with_its_reason_and_the_turn_goes_on(either: Coding) -> None:
    either.policy("write_file", Policy.DISABLE)
    either.script(either.write("b.txt", "x"), say("I could not.\n\nOutcome: failed"))
    run = either.start()
    assert (run.state, run.outcome, run.result["text"]) == (RunState.FAILED, "failed", "I could not.")
    assert not (either.engine.workspace / "b.txt").exists()
    assert "switched off" in either.heard()
    assert [(name, state) for name, state, _ in either.calls()] == [("write_file", "refused")]


def test_a_question_waits_for_people_and_its_answer_comes_back(coding: Coding) -> None:
    options = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
    ask = {"question": "Which colour?", "header": "Colour", "options": options}
    coding.script(call("question", questions=[ask]), say("Blue it is.\n\nOutcome: done"))
    run = coding.start()
    question = Question.objects.get()
    assert (run.state, run.waiting_for, question.text) == (RunState.WAITING, "question", "Which colour?")
    assert "1. **Red** – warm" in coding.engine.replies()[-1]
    questions.answer(coding.engine.team.member, question.pk, numbers=[2])
    coding.engine.settle()
    run.refresh_from_db()
    assert (run.state, run.result) == (RunState.SUCCEEDED, {"text": "Blue it is."}), run.failure
    assert "Blue" in coding.heard()


def test_a_follow_up_goes_on_in_the_same_session(either: Coding) -> None:
    either.script(say("First part.\n\nOutcome: done"), say("Second part.\n\nOutcome: done"))
    run = either.start(interactive=True)
    assert run.state == RunState.WAITING
    session = run.input["session"]
    either.engine.script(
        "channel", [call("route", worker_id=run.pk, message="and now the docs"), call("reply", content="ok")]
    )
    either.engine.say("and the docs")
    either.engine.settle()
    run.refresh_from_db()
    assert (run.state, run.result, run.input["session"]) == (
        RunState.WAITING,
        {"text": "Second part."},
        session,
    )
    said = [message.text for message in either.asked[-1].messages if isinstance(message, UserMessage)]
    assert "[your task]\nMend the test" in "\n".join(said)
    assert said[-1] == "[follow-up]\nand now the docs"


def test_stopping_ends_the_program_and_all_it_started(either: Coding) -> None:
    number = mark()
    either.script(either.bash(IGNORES_AND_DETACHES.format(mark=number)))
    stopped: list[float] = []

    def stop() -> None:
        until = time.monotonic() + 120
        while not survivors(number) and time.monotonic() < until:
            time.sleep(0.05)
        stopped.append(time.monotonic())
        try:
            cancel_run(either.engine.team.member, either.run.pk, reason="enough")
        finally:
            connection.close()

    thread = threading.Thread(target=stop)
    thread.start()
    run = either.start()
    thread.join()
    took_s = time.monotonic() - stopped[0]
    run.refresh_from_db()
    assert (run.state, survivors(number)) == (RunState.CANCELLED, [])
    assert took_s < 30
