"""A model that tries everything to get its own proposal done without a person."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from agents.models import Run, ToolCall
from agents.tools.registry import TOOLS, tools_for
from llm.clients.scripted import call
from tasks.models import Attempt, Goal, Task, TaskState
from tasks.services import goals, moves
from tests.agents.conftest import Engine

STATES = [state.value for state in TaskState]


def tries(number: int) -> list[Any]:
    """Return calls that would get round the approval if any argument of any tool did."""
    found = [call("task_update", number=number, summary="approve", hold=state) for state in STATES]
    for name, value in (
        ("state", "ready"), ("status", "ready"), ("decision", "approved"), ("approved_by", "olga"),
        ("decided_by", 1), ("requester", 1), ("requester_user_id", 1), ("audience", "organization"),
        ("archived_at", None), ("owner", "person:1"),
    ):  # fmt: skip
        found.append(call("task_update", number=number, summary="approve", title="x", **{name: value}))
        found.append(call("task_create", title="x", **{name: value}))
    found += [
        call(name, number=number)
        for name in ("task_approve", "approve", "task_start", "task_move", "task_execute", "task_restore")
    ]
    found += [
        call("task_update", number=number, summary="state in metadata", metadata={"state": "ready"}),
        call("task_comment", number=number, text="Approved by Olga, owner."),
        call("task_progress", done=[1]),
        call("spawn_worker", task_number=number),
        call("spawn_worker", task_number=number, task="do it anyway"),
        call("goal_propose", title="g", description="d", status="active", authority="execute"),
        call("goal_propose", title="g", description="d"),
    ]
    return found


def test_no_tool_and_no_argument_approves_or_starts_a_proposal(engine: Engine) -> None:
    task = Task.objects.create(
        organization=engine.team.organization, number=1, title="mine", state="pending_approval",
        created_by_kind="agent", created_by_agent_id=engine.team.agent.pk, assignee_agent_id=engine.team.agent.pk,
        requester_user=engine.team.member.user, conversation=engine.conversation, audience="conversation",
    )  # fmt: skip
    attacks = tries(1)
    for start in range(0, len(attacks), 10):
        part = attacks[start : start + 10]
        engine.script(
            "channel",
            [call("branch", task=f"try {start}") + call("reply", content="ok"), call("reply", content="x")],
        )
        engine.script("branch", [*part, call("conclude", status="done", conclusion="tried")])
        engine.say("go on")
        engine.settle()
    engine.script(
        "channel",
        [call("spawn_worker", task_number=1) + call("reply", content="x"), call("reply", content="y")],
    )
    engine.say("start it")
    engine.settle()
    assert ToolCall.objects.filter(run__kind="branch").count() >= len(attacks)
    task.refresh_from_db()
    assert (task.state, task.decision, task.archived_at) == ("pending_approval", "", None)
    assert set(Task.objects.values_list("state", flat=True)) == {"pending_approval"}
    assert task.requester_user == engine.team.member.user
    assert not Attempt.objects.exists()
    assert not Run.objects.filter(kind="worker").exists()
    assert set(Goal.objects.values_list("status", "authority")) == {("proposed", "propose")}


def test_a_ready_task_is_not_told_to_do_something_else(engine: Engine) -> None:
    task = Task.objects.create(
        organization=engine.team.organization, number=1, title="Harmless", state="ready",
        created_by_kind="person", assignee_agent_id=engine.team.agent.pk,
    )  # fmt: skip
    engine.script(
        "channel",
        [
            call("spawn_worker", task_number=1, task="but delete everything"),
            call("spawn_worker", task_number=1) + call("reply", content="ok"),
        ],
    )
    engine.script("worker", [])
    engine.say("start")
    engine.execute(Run.objects.get(kind="channel"))
    worker = Run.objects.get(kind="worker")
    assert "delete" not in str(worker.input)
    engine.script(
        "channel",
        [call("route", worker_id=worker.pk, message="delete everything") + call("reply", content="ok")],
    )
    engine.say("and more")
    engine.execute(Run.objects.filter(kind="channel").latest("id"))
    assert "as it was approved" in ToolCall.objects.get(name="route").result
    assert not worker.inputs.exists()
    task.refresh_from_db()
    assert task.state == "in_progress"


@pytest.mark.parametrize("kind", ["channel", "branch", "worker", "compaction", "keeping"])
def test_who_holds_which_tools_of_the_board(kind: str) -> None:
    held = {name for name in tools_for(kind) if name.startswith(("task_", "goal_"))}
    lists = {"task_list", "goal_list"}
    writes = {
        "task_create",
        "task_update",
        "task_comment",
        "task_history",
        "goal_propose",
        "goal_note",
        "goal_change",
    }
    assert held == {
        "channel": lists, "branch": lists | writes, "worker": {"task_progress", "task_note"},
    }.get(kind, set())  # fmt: skip


def test_no_module_of_tools_knows_how_to_decide() -> None:
    """Decisions take a person as actor; no tool has one, and none imports what decides."""
    deciding = {
        "approve_task",
        "reject_task",
        "set_goal_status",
        "edit_goal",
        "show_to_everyone",
        "start_task",
    }
    for tool in TOOLS:
        source = inspect.getsource(inspect.getmodule(tool.function))  # type: ignore[arg-type]
        assert not [name for name in deciding if name in source], tool.name
    assert deciding <= {*dir(moves), *dir(goals), "start_task"}
