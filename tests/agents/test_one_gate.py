"""Whatever starts a call, the function of its tool runs inside the gate and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.errors import LostLease
from agents.models import Policy, Run, RunKind, RunState, ToolCall, ToolPolicy
from agents.services.runs import cancel_run, retry_run
from agents.tools.gate import Gate
from agents.tools.registry import TOOLS
from llm.clients.scripted import call
from tasks.models import Approval
from tasks.services.approvals.deciding import decide
from tasks.services.schedules import clock
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.agents.autonomy.conftest import FINISH, Alone, alone  # noqa: F401  a fixture
from tests.agents.conftest import Engine

DONE = call("set_outcome", status="done", summary="ok")
inside: ContextVar[bool] = ContextVar("inside", default=False)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Every tool that ran, as (kind of run, tool); one that runs outside of the gate fails the test there and then."""
    made: list[tuple[str, str]] = []
    within = Gate._run

    def watched(self: Gate, *arguments: Any, **options: Any) -> Any:
        token = inside.set(True)
        try:
            return within(self, *arguments, **options)
        finally:
            inside.reset(token)

    monkeypatch.setattr(Gate, "_run", watched)
    kept = [(tool, tool.function) for tool in TOOLS]

    def through(name: str, function: Any) -> Any:
        def run(context: Any, arguments: Any) -> Any:
            made.append((context.run.kind, name if inside.get() else f"{name} outside of the gate"))
            return function(context, arguments)

        return run

    for tool, function in kept:
        object.__setattr__(tool, "function", through(tool.name, function))
    yield made
    for tool, function in kept:
        object.__setattr__(tool, "function", function)
    assert [name for _, name in made if "outside" in name] == []


def in_chat(engine: Engine) -> None:
    def channel(request: Any) -> Any:
        if "report" in str(request.messages[-1]):
            return call("reply", content="done")
        return call("branch", task="think") + call("spawn_worker", task="write") + call("reply", content="ok")

    engine.script("channel", channel)
    engine.script("branch", [call("task_list"), call("conclude", status="done", conclusion="so")])
    engine.script("worker", [call("write_file", path="a.txt", content="a"), DONE])
    engine.say("hello")
    engine.settle()


def test_chat_branch_and_worker(engine: Engine, ran: list[tuple[str, str]]) -> None:
    in_chat(engine)
    assert {("channel", "reply"), ("branch", "task_list"), ("worker", "write_file")} <= set(ran)
    assert len(ran) == ToolCall.objects.exclude(state="refused").count()


def test_a_schedule(engine: Engine, ran: list[tuple[str, str]]) -> None:
    schedule = create_schedule(
        engine.team.member,
        conversation_id=engine.conversation.pk,
        prompt="Go.",
        when=When(phrase="every minute"),
    )
    engine.script("channel", [call("reply", content="gone")])
    clock.tick(now=schedule.next_due_at)
    engine.settle()
    assert ran == [("cron", "reply")]


def test_an_agent_by_itself(alone: Alone, ran: list[tuple[str, str]]) -> None:  # noqa: F811
    alone.let("act")
    task = alone.task()
    alone.engine.script("worker", [call("task_note", text="begun"), DONE])
    alone.script(call("begin_task", number=task.number), FINISH)
    alone.work()
    assert ran[:2] == [("autonomy", "begin_task"), ("autonomy", "finish")]
    assert ("worker", "task_note") in ran


def test_a_retry_over_the_api_and_a_recovery(engine: Engine, ran: list[tuple[str, str]]) -> None:
    def lost(request: Any) -> Any:
        raise LostLease("died")

    engine.script(
        "channel",
        [call("spawn_worker", task="write") + call("reply", content="ok"), call("reply", content="x")],
    )
    engine.script("worker", [call("write_file", path="a.txt", content="a"), lost, DONE])
    engine.say("do it")
    Run.objects.filter(state=RunState.QUEUED).update(due_at=timezone.now())
    engine.execute(Run.objects.get(kind=RunKind.CHANNEL))
    worker = Run.objects.get(kind=RunKind.WORKER)
    engine.execute(worker)
    Run.objects.filter(pk=worker.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    cancel_run(engine.team.member, worker.pk)
    engine.execute(worker)
    engine.script("worker", [call("write_file", path="b.txt", content="b"), DONE])
    retry_run(engine.team.member, worker.pk)
    engine.settle()
    assert [name for kind, name in ran if kind == "worker"].count("write_file") == 2


def test_a_channels_call_that_a_person_approved_afterwards(
    engine: Engine, ran: list[tuple[str, str]]
) -> None:
    ToolPolicy.objects.create(organization=engine.team.organization, tool="spawn_worker", policy=Policy.ASK)
    engine.script(
        "channel", lambda request: call("spawn_worker", task="write") + call("reply", content="it waits")
        if "hello" in str(request.messages[-1]) else call("reply", content="ok"),
    )  # fmt: skip
    engine.script("worker", [DONE])
    engine.say("hello")
    engine.settle()
    assert ("channel", "spawn_worker") not in ran
    decide(engine.team.moderator, Approval.objects.get().pk, "approve")
    assert ("channel", "spawn_worker") in ran
    assert ToolCall.objects.get(name="spawn_worker").state == "succeeded"
