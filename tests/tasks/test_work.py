"""From a proposal in a conversation to work that is done, through the engine."""

from __future__ import annotations

import json

import pytest
from django.db import IntegrityError, transaction

from accounts.errors import AccountsError, Conflict
from agents.models import Run, RunState, ToolCall
from agents.services.runs import cancel_run, retry_run
from llm.clients.scripted import call
from tasks.authors import by_person
from tasks.models import Attempt, Outcome, Task, TaskComment, TaskState
from tasks.services.comments import add_comment
from tasks.services.moves import approve_task, move_task
from tasks.services.starting import start_task, stop_task
from tasks.snapshots import Holder
from tests.agents.conftest import Engine
from tests.tasks.conftest import live_runs, person_task

DONE = call("set_outcome", status="done", summary="It is written.")


def propose(engine: Engine, **arguments: object) -> Task:
    """Let the agent propose a task in its conversation."""
    arguments = {"title": "Write a file", "description": "write notes.txt", **arguments}
    engine.script(
        "channel",
        [call("branch", task="propose it") + call("reply", content="ok"), call("reply", content="told")],
    )
    engine.script(
        "branch", [call("task_create", **arguments), call("conclude", status="done", conclusion="proposed")]
    )
    engine.say("propose a task")
    engine.settle()
    return Task.objects.get()


def test_what_an_agent_proposes_waits_is_approved_started_and_settled(engine: Engine) -> None:
    task = propose(engine)
    assert task.state == TaskState.PENDING_APPROVAL
    assert task.requester_user == engine.team.member.user
    assert json.loads(ToolCall.objects.get(name="task_create").result)["state"] == "pending_approval"
    approve_task(engine.team.member, task.number, expected_revision=task.revision)
    worker = engine.script("worker", [DONE])
    engine.script("channel", [call("reply", content="It is done.")])
    start_task(engine.team.member, task.number)
    task.refresh_from_db()
    assert task.state == TaskState.IN_PROGRESS
    engine.settle()
    task.refresh_from_db()
    attempt = Attempt.objects.get()
    assert (task.state, attempt.outcome, attempt.summary) == ("done", "succeeded", "It is written.")
    assert "write notes.txt" in str(worker.requests[0].messages)
    assert engine.replies()[-1] == "It is done."


def test_a_channel_starts_a_ready_task_by_its_number_and_not_one_that_waits(engine: Engine) -> None:
    task = propose(engine)
    engine.script(
        "channel", [call("spawn_worker", task_number=task.number) + call("reply", content="started")]
    )
    engine.say("start it")
    engine.settle()
    assert not live_runs()
    assert not Attempt.objects.exists()
    assert "not ready" in ToolCall.objects.get(name="spawn_worker").result
    approve_task(engine.team.member, task.number)
    engine.script("worker", [DONE])
    engine.script(
        "channel",
        [
            call("spawn_worker", task_number=task.number) + call("reply", content="started"),
            call("reply", content="told"),
        ],
    )
    engine.say("start it now")
    engine.settle()
    task.refresh_from_db()
    assert task.state == TaskState.DONE
    assert Attempt.objects.get().run_id == Run.objects.get(kind="worker").pk


@pytest.mark.parametrize(
    ("said", "state", "outcome"),
    [
        ("done", TaskState.DONE, "succeeded"),
        ("partial", TaskState.BLOCKED, "partial"),
        ("failed", TaskState.FAILED, "failed"),
    ],
)
def test_what_a_worker_says_settles_the_task(engine: Engine, said: str, state: str, outcome: str) -> None:
    task = ready_task(engine)
    engine.script("worker", [call("set_outcome", status=said, summary="half of it")])
    start_task(engine.team.member, task.number)
    engine.settle()
    task.refresh_from_db()
    assert (task.state, Attempt.objects.get().outcome) == (state, outcome)
    assert task.blocked_reason == ("Partly done: half of it" if state == "blocked" else "")


def ready_task(engine: Engine, **values: object) -> Task:
    agent = Holder("agent", engine.team.agent.pk)
    return person_task(engine.team.member, state="ready", assignee=agent, **values)


def test_stopping_a_queued_worker_settles_at_once_and_waits_for_a_person(engine: Engine) -> None:
    task = ready_task(engine)
    start_task(engine.team.member, task.number)
    stop_task(engine.team.member, task.number, reason="not now")
    task.refresh_from_db()
    assert (task.state, Attempt.objects.get().outcome) == ("blocked", "cancelled")
    assert task.blocked_reason == "Stopped: not now"
    with pytest.raises(Conflict):
        stop_task(engine.team.member, task.number)


def test_a_task_has_one_attempt_at_a_time(engine: Engine) -> None:
    task = ready_task(engine)
    start_task(engine.team.member, task.number)
    with pytest.raises(Conflict):
        start_task(engine.team.member, task.number)
    attempt = Attempt.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(
            organization=engine.team.organization, task=task, number=2, agent_id=1, run_id=10**6, revision=1
        )
    assert Run.objects.filter(kind="worker").count() == 1
    assert attempt.ended_at is None


def test_a_blocked_task_cannot_start_and_a_done_one_unblocks_it(engine: Engine) -> None:
    first = person_task(engine.team.member, "First", state="ready")
    task = ready_task(engine, needs=[first.number])
    with pytest.raises(Conflict, match=f"waits for #{first.number}"):
        start_task(engine.team.member, task.number)
    move_task(by_person(engine.team.member), first.number, "done")
    engine.script("worker", [DONE])
    start_task(engine.team.member, task.number)
    engine.settle()
    task.refresh_from_db()
    assert task.state == TaskState.DONE


def test_comments_of_people_reach_a_worker_at_its_next_step(engine: Engine) -> None:
    task = ready_task(engine)

    def work(request: object) -> object:
        if "in blue" in str(request.messages):  # type: ignore[attr-defined]
            return DONE
        add_comment(by_person(engine.team.member), task.number, "Please write it in blue.", key="once")
        return call("set_status", status="thinking")

    worker = engine.script("worker", work)
    start_task(engine.team.member, task.number)
    engine.settle()
    task.refresh_from_db()
    assert task.state == TaskState.DONE
    assert TaskComment.objects.count() == 1
    assert "[comment on your task]" in str(worker.requests[-1].messages)


def test_a_worker_ticks_and_notes_on_its_own_task_only(engine: Engine) -> None:
    task = ready_task(engine, subtasks=[{"title": "one"}, {"title": "two"}])
    other = ready_task(engine)
    engine.script(
        "worker",
        [
            call("task_progress", done=[2], metadata={"page": 4}),
            call("task_progress", done=[9]),
            call("task_note", text="Half way."),
            call("task_update", number=other.number, summary="mine now", title="x"),
            DONE,
        ],
    )
    start_task(engine.team.member, task.number)
    engine.settle()
    task.refresh_from_db()
    other.refresh_from_db()
    assert [item["done"] for item in task.subtasks] == [False, True]
    assert task.metadata == {"page": 4}
    assert TaskComment.objects.get().text == "Half way."
    assert other.title == "Write the notes"
    assert "There is no subtask 9" in ToolCall.objects.filter(name="task_progress").order_by("id")[1].result
    assert ToolCall.objects.get(name="task_update").state == "refused"


def test_a_worker_without_a_task_holds_no_board(engine: Engine) -> None:
    engine.script(
        "channel",
        [call("spawn_worker", task="do it") + call("reply", content="ok"), call("reply", content="told")],
    )
    worker = engine.script("worker", [call("task_note", text="hello there"), DONE])
    engine.say("go")
    engine.settle()
    assert not {tool.name for tool in worker.requests[0].tools} & {"task_note", "task_progress"}
    assert not TaskComment.objects.exists()


def test_a_run_of_a_task_is_not_tried_again_past_the_board(engine: Engine) -> None:
    task = ready_task(engine)
    engine.script("worker", [call("set_outcome", status="failed", summary="no")])
    start_task(engine.team.member, task.number)
    engine.settle()
    run = Run.objects.get(kind="worker")
    assert run.state == RunState.FAILED
    with pytest.raises(AccountsError, match="Start the task again"):
        retry_run(engine.team.member, run.pk)


def test_cancelling_the_run_itself_settles_the_task_too(engine: Engine) -> None:
    task = ready_task(engine)
    start_task(engine.team.member, task.number)
    cancel_run(engine.team.member, Run.objects.get(kind="worker").pk)
    task.refresh_from_db()
    assert task.state == TaskState.BLOCKED
    assert Attempt.objects.get().outcome == Outcome.CANCELLED
