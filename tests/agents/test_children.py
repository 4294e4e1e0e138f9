from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.errors import Conflict, NotFound
from agents.engine import recovery
from agents.models import Report, ReportState, Run, RunInput, RunState, ToolCall
from agents.services.runs import cancel_run, retry_run
from llm.clients.scripted import Scripted, call, fail, say
from llm.errors import AuthenticationFailed
from tests.agents.conftest import Engine
from tests.factories import make_team

START = call("spawn_worker", task="write hi into notes.txt") + call("reply", content="On it.")
TALK = call("reply", content="Seen.")
DONE = call("set_outcome", status="done", summary="It is written.")


def start_worker(engine: Engine, *steps: Scripted, interactive: bool = False, relay: int = 1) -> Run:
    start = call("spawn_worker", task="write hi", interactive=interactive) + call("reply", content="On it.")
    engine.script("channel", [start] + [TALK] * relay)
    engine.script("worker", list(steps))
    engine.say("please write")
    engine.settle()
    return engine.runs("worker")[0]


def test_a_worker_writes_a_file_and_its_result_is_told(engine: Engine) -> None:
    worker = start_worker(engine, call("write_file", path="notes.txt", content="hi"), DONE)
    assert (engine.workspace / "notes.txt").read_text() == "hi"
    assert worker.state == RunState.SUCCEEDED
    assert engine.replies() == ["On it.", "Seen."]
    assert Report.objects.get().text == "It is written."


def test_calls_that_act_run_before_the_outcome_of_the_same_step(engine: Engine) -> None:
    worker = start_worker(engine, DONE + call("write_file", path="a.txt", content="x"))
    assert worker.state == RunState.SUCCEEDED
    assert (engine.workspace / "a.txt").exists()
    assert set(ToolCall.objects.filter(run=worker).values_list("state", flat=True)) == {"succeeded"}


def test_a_worker_that_only_talks_is_nudged_then_closed_as_failed(engine: Engine) -> None:
    worker = start_worker(engine, say("hm"), say("hm hm"), say("that is all"))
    assert worker.state == RunState.FAILED
    assert worker.failure is not None
    assert "without saying" in worker.failure["message"]
    assert "that is all" in Report.objects.get().text


def test_a_nudged_worker_can_still_finish(engine: Engine) -> None:
    worker = start_worker(engine, say("hm"), DONE)
    assert worker.state == RunState.SUCCEEDED


def test_status_is_shown(engine: Engine) -> None:
    worker = start_worker(engine, call("set_status", status="half way"), DONE)
    assert worker.status_text == "half way"


def test_an_interactive_worker_waits_and_takes_a_follow_up(engine: Engine) -> None:
    worker = start_worker(engine, call("set_outcome", status="done", summary="first"), interactive=True)
    assert worker.state == RunState.WAITING
    engine.script(
        "channel",
        [call("route", worker_id=worker.pk, message="and now?") + call("reply", content="Asked."), TALK],
    )
    model = engine.script("worker", [call("set_outcome", status="done", summary="second")])
    engine.say("ask it")
    engine.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.WAITING
    assert "and now?" in str(model.requests[0].messages[-1])
    assert [report.text for report in Report.objects.order_by("id")] == ["first", "second"]
    assert RunInput.objects.get().taken_at is not None
    assert engine.replies()[-2:] == ["Asked.", "Seen."]


def test_a_follow_up_to_a_finished_worker_is_refused(engine: Engine) -> None:
    worker = start_worker(engine, DONE)
    engine.script(
        "channel", [call("route", worker_id=worker.pk, message="more") + call("reply", content="ok")]
    )
    engine.say("more")
    engine.settle()
    assert "has finished" in ToolCall.objects.get(name="route").result


def test_a_worker_of_another_conversation_cannot_be_reached(engine: Engine) -> None:
    stranger = Run.objects.create(
        organization=engine.team.organization,
        agent=engine.team.agent,
        kind="worker",
        due_at=timezone.now(),
        state="waiting",
    )
    engine.script(
        "channel",
        [call("cancel", process_type="worker", process_id=stranger.pk) + call("reply", content="ok")],
    )
    engine.say("stop it")
    engine.settle()
    stranger.refresh_from_db()
    assert stranger.state == RunState.WAITING
    assert "no branch, worker or colleague" in ToolCall.objects.get(name="cancel").result


def test_an_idle_worker_is_retired_after_a_day(engine: Engine) -> None:
    worker = start_worker(engine, call("set_outcome", status="done", summary="x"), interactive=True)
    assert recovery.retire_idle_workers() == 0
    Run.objects.filter(pk=worker.pk).update(due_at=timezone.now())
    assert recovery.retire_idle_workers() == 1
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED


def test_the_same_task_is_not_started_twice(engine: Engine) -> None:
    twice = call("spawn_worker", task="dig") + call("spawn_worker", task="dig") + call("reply", content="ok")
    engine.script("channel", [twice, TALK])
    engine.script("worker", [DONE])
    engine.say("dig")
    engine.settle()
    assert len(engine.runs("worker")) == 1


def test_at_most_three_branches_of_a_conversation_run_at_once(engine: Engine) -> None:
    many = Scripted()
    for number in range(5):
        many = many + call("branch", task=f"think {number}")
    engine.script("channel", [many + call("reply", content="ok")])
    engine.say("think a lot")
    engine.execute(Run.objects.get(state="queued"))
    branches = engine.runs("branch")
    Run.objects.filter(pk__in=[run.pk for run in branches[:3]]).update(
        state="running", lease_expires_at=timezone.now()
    )
    assert engine.execute(branches[3]) is False
    Run.objects.filter(pk=branches[0].pk).update(state="cancelled", finished_at=timezone.now())
    engine.script("branch", [call("conclude", status="done", conclusion="x")])
    assert engine.execute(branches[3]) is True


def test_cancelling_what_waits_closes_it_at_once_and_tells_nobody(engine: Engine) -> None:
    worker = start_worker(engine, call("set_outcome", status="done", summary="x"), interactive=True)
    run = cancel_run(engine.team.member, worker.pk, reason="enough")
    assert run.state == RunState.CANCELLED
    again = cancel_run(engine.team.member, worker.pk)
    assert again.cancel_reason == "enough"
    assert Report.objects.filter(state=ReportState.PENDING).count() == 0


def test_others_cannot_cancel_a_run_of_a_private_conversation(engine: Engine) -> None:
    worker = start_worker(engine, call("set_outcome", status="done", summary="x"), interactive=True)
    for actor in (engine.team.other_member, engine.team.owner, make_team("third").owner):
        with pytest.raises(NotFound):
            cancel_run(actor, worker.pk)
    worker.refresh_from_db()
    assert worker.state == RunState.WAITING


def test_a_failed_worker_can_be_tried_again(engine: Engine) -> None:
    worker = start_worker(engine, fail(AuthenticationFailed("no")))
    assert worker.state == RunState.FAILED
    assert "refused our key" in Report.objects.get().text
    engine.script("worker", [DONE])
    engine.script("channel", [TALK])
    second = retry_run(engine.team.member, worker.pk)
    engine.settle()
    second.refresh_from_db()
    assert second.state == RunState.SUCCEEDED
    assert second.input == worker.input
    with pytest.raises(Conflict):
        retry_run(engine.team.member, engine.runs("channel")[0].pk)


def test_work_for_someone_who_left_is_refused_at_the_call(engine: Engine) -> None:
    from accounts.models import Membership

    engine.script("channel", [START, TALK])
    engine.script("worker", [call("write_file", path="notes.txt", content="hi"), DONE])
    engine.say("write")
    engine.execute(Run.objects.get(kind="channel"))
    Membership.objects.filter(user=engine.team.member.user).delete()
    engine.settle()
    assert not (engine.workspace / "notes.txt").exists()
    assert "no longer a member" in ToolCall.objects.get(name="write_file").result
