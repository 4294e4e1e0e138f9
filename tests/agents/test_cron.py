"""Scheduled jobs from the clock's tick to the delivered message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.engine import recovery, waits
from agents.errors import ToolRetry
from agents.models import Report, Run, RunKind, RunState
from agents.services.runs import cancel_run
from llm.clients.scripted import call, fail, say
from llm.errors import ProviderUnavailable
from llm.types import ChatRequest, UserMessage
from messaging.models import Delivery, DeliveryState, Message
from realtime.services import unit_of_work
from tasks.models import Execution, Firing, Schedule, ScheduleState
from tasks.services.schedules import acts, clock
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.agents.conftest import Engine


def plan(engine: Engine, **options: Any) -> Schedule:
    return create_schedule(
        engine.team.member,
        conversation_id=engine.conversation.pk,
        prompt="Report the time.",
        when=When(phrase="every minute"),
        **options,
    )


def fire(schedule: Schedule) -> Firing:
    schedule.refresh_from_db()
    assert schedule.next_due_at is not None
    assert clock.tick(now=schedule.next_due_at) == 1
    return Firing.objects.filter(schedule=schedule).latest("due_at")


def run_of(firing: Firing) -> Run:
    return Run.objects.get(pk=firing.run_id)


def last_text(request: ChatRequest) -> str:
    return next(each.text for each in reversed(request.messages) if isinstance(each, UserMessage))


def test_what_it_says_is_delivered_as_one_message(engine: Engine) -> None:
    engine.script("channel", [call("reply", content="It is nine.")])
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert engine.replies() == ["It is nine."]
    assert (firing.execution, firing.delivery, firing.outcome) == ("succeeded", "delivered", "It is nine.")
    assert firing.message is not None
    assert (firing.message.run_id, firing.started_at is not None) == (firing.run_id, True)


def test_it_is_given_the_job_and_the_local_time_and_no_history(engine: Engine) -> None:
    model = engine.script("channel", lambda request: call("reply", content="ok"))
    engine.say("a secret of before")
    engine.settle()
    fire(
        create_schedule(
            engine.team.member, conversation_id=engine.conversation.pk, prompt="Report the time.",
            when=When(phrase="every minute", time_zone="Asia/Tokyo"),
        )
    )  # fmt: skip
    engine.settle()
    (text,) = [each.text for each in model.requests[-1].messages if isinstance(each, UserMessage)]
    assert "Report the time." in text
    assert "(Asia/Tokyo)" in text
    assert "a secret of before" not in text


def test_it_waits_for_its_worker_without_a_thread_and_the_report_comes_to_it_alone(engine: Engine) -> None:
    engine.script(
        "channel",
        [
            call("reply", content="First part.") + call("spawn_worker", task="look at the clock"),
            call("reply", content="The worker says nine."),
        ],
    )
    engine.script("worker", [call("set_outcome", status="done", summary="nine")])
    firing = fire(plan(engine))
    run = run_of(firing)
    assert engine.execute(run)
    run.refresh_from_db()
    assert run.state == RunState.WAITING
    assert engine.replies() == []
    engine.settle()
    assert engine.replies() == ["First part.\n\nThe worker says nine."]
    assert not Run.objects.filter(kind=RunKind.CHANNEL).exists()
    assert Report.objects.get().told_by_id == run.pk


def test_people_talk_meanwhile_and_hear_nothing_of_its_children(engine: Engine) -> None:
    model = engine.script(
        "channel",
        [call("spawn_worker", task="look at the clock") + call("wait"), call("reply", content="Hello.")],
    )
    firing = fire(plan(engine))
    engine.execute(run_of(firing))
    engine.say("hi")
    engine.execute(Run.objects.get(kind=RunKind.CHANNEL))
    assert engine.replies() == ["Hello."]
    assert "look at the clock" not in last_text(model.requests[-1])


def test_a_branch_of_a_job_is_told_what_the_job_is(engine: Engine) -> None:
    engine.script(
        "channel",
        [call("branch", task="What matters?") + call("wait"), call("reply", content="This matters.")],
    )
    branch = engine.script("branch", [call("conclude", status="done", conclusion="this")])
    fire(plan(engine))
    engine.settle()
    assert "Report the time." in last_text(branch.requests[0])
    assert engine.replies() == ["This matters."]


def test_waiting_for_nothing_is_refused(engine: Engine) -> None:
    engine.script("channel", [call("wait"), call("skip", reason="nothing new")])
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert (firing.execution, firing.delivery, firing.outcome) == ("succeeded", "none", "nothing new")
    assert engine.replies() == []


def test_a_job_that_says_nothing_has_failed_and_people_are_told(engine: Engine) -> None:
    engine.script("channel", [say("")] * 3)
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert firing.execution == Execution.FAILED
    assert "failed" in engine.replies()[0]


def test_out_of_time_while_waiting_it_wraps_up_delivers_what_there_is_and_fires_again(engine: Engine) -> None:
    engine.script(
        "channel",
        [
            call("spawn_worker", task="take for ever") + call("reply", content="Half of it."),
            call("reply", content="The rest is missing."),
        ],
    )
    schedule = plan(engine)
    firing = fire(schedule)
    engine.execute(run_of(firing))
    Run.objects.filter(pk=firing.run_id).update(due_at=timezone.now() - timedelta(seconds=1))
    assert recovery.end_waits() == 1
    assert Run.objects.get(kind=RunKind.WORKER).state == RunState.CANCELLED
    engine.settle()
    firing.refresh_from_db()
    assert firing.execution == Execution.TIMED_OUT
    (message, told) = engine.replies()
    assert message.startswith("_This ran out of time.")
    assert "Half of it.\n\nThe rest is missing." in message
    assert "failed" in told
    assert fire(schedule).execution == Execution.QUEUED


def test_out_of_time_while_it_works_it_wraps_up_too(engine: Engine) -> None:
    def late(request: ChatRequest):  # type: ignore[no-untyped-def]
        run = Run.objects.get(kind=RunKind.CRON)
        from agents.engine.leases import keeper

        keeper._claims[run.pk].cancel.cancel("deadline")
        return call("reply", content="too late")

    model = engine.script("channel", [late, call("reply", content="This is all.")])
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert firing.execution == Execution.TIMED_OUT
    assert "your time is up" in last_text(model.requests[-1])
    assert {tool.name for tool in model.requests[-1].tools} == {"reply", "skip"}
    assert "This is all." in engine.replies()[0]


def test_a_wake_up_leaves_no_more_time_than_the_deadline(engine: Engine) -> None:
    engine.script("channel", [call("spawn_worker", task="look") + call("wait")])
    firing = fire(plan(engine, timeout_s=3_600))
    engine.execute(run_of(firing))
    run = run_of(firing)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(seconds=3_000))
    with unit_of_work():
        waits.wake(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assert run.active_limit_s - run.active_ms / 1000 <= 601


def test_three_failures_stop_it_and_say_so_and_a_reset_starts_it_again(engine: Engine) -> None:
    engine.script("channel", lambda request: fail(ProviderUnavailable("down")))
    schedule = plan(engine)
    for _ in range(3):
        fire(schedule)
        engine.settle()
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.BROKEN
    first, last = engine.replies()
    assert "tried again when it is next due" in first
    assert "3 times in a row and was stopped" in last
    acts.reset(engine.team.member, schedule.pk)
    schedule.refresh_from_db()
    assert (schedule.state, schedule.failures_in_row) == (ScheduleState.ACTIVE, 0)


def test_a_success_between_failures_starts_the_count_again(engine: Engine) -> None:
    is_up = False
    engine.script(
        "channel",
        lambda request: call("reply", content="Fine.") if is_up else fail(ProviderUnavailable("down")),
    )
    schedule = plan(engine)
    for turn in range(5):
        is_up = turn == 2
        fire(schedule)
        engine.settle()
    schedule.refresh_from_db()
    assert (schedule.state, schedule.failures_in_row) == (ScheduleState.ACTIVE, 2)


def test_a_pause_stops_what_was_fired_and_has_not_begun(engine: Engine) -> None:
    schedule = plan(engine)
    firing = fire(schedule)
    acts.pause(engine.team.member, schedule.pk)
    firing.refresh_from_db()
    assert (run_of(firing).state, firing.execution) == (RunState.CANCELLED, Execution.CANCELLED)
    assert "Paused" in firing.outcome
    assert engine.replies() == []


def test_cancelling_a_waiting_job_stops_its_children_and_closes_its_line(engine: Engine) -> None:
    engine.script("channel", [call("spawn_worker", task="look") + call("wait")])
    firing = fire(plan(engine))
    engine.execute(run_of(firing))
    cancel_run(engine.team.member, run_of(firing).pk)
    firing.refresh_from_db()
    assert firing.execution == Execution.CANCELLED
    assert Run.objects.get(kind=RunKind.WORKER).state == RunState.CANCELLED


def test_a_job_whose_worker_is_cancelled_by_a_person_goes_on(engine: Engine) -> None:
    engine.script(
        "channel",
        [call("spawn_worker", task="look") + call("wait"), call("reply", content="Without it, then.")],
    )
    firing = fire(plan(engine))
    engine.execute(run_of(firing))
    cancel_run(engine.team.member, Run.objects.get(kind=RunKind.WORKER).pk)
    engine.settle()
    assert engine.replies() == ["Without it, then."]


def test_what_waited_starts_when_the_one_before_has_ended(engine: Engine) -> None:
    engine.script("channel", lambda request: call("reply", content="ok"))
    schedule = plan(engine, overlap="wait")
    first, second = fire(schedule), fire(schedule)
    assert (second.execution, second.run_id) == (Execution.WAITING, None)
    engine.execute(run_of(first))
    second.refresh_from_db()
    assert second.execution == Execution.QUEUED
    engine.settle()
    assert engine.replies() == ["ok", "ok"]


def test_a_delivery_that_fails_is_sent_again_without_running_the_work_again(engine: Engine) -> None:
    from tasks.services.schedules import deliveries

    model = engine.script("channel", lambda request: call("reply", content="ok"))
    schedule = plan(engine)
    firing = fire(schedule)
    engine.settle()
    Firing.objects.filter(pk=firing.pk).update(delivery="pending")
    Schedule.objects.filter(pk=schedule.pk).update(failures_in_row=0)
    Delivery.objects.update(state=DeliveryState.FAILED)
    assert deliveries.follow() == 1
    firing.refresh_from_db()
    schedule.refresh_from_db()
    assert (firing.delivery, schedule.failures_in_row) == ("failed", 1)
    deliveries.deliver_again(engine.team.member, schedule.pk, firing.pk)
    assert Delivery.objects.filter(message=firing.message).get().state == DeliveryState.PENDING
    Delivery.objects.update(state=DeliveryState.DELIVERED)
    assert deliveries.follow() == 1
    firing.refresh_from_db()
    assert (firing.delivery, firing.delivered_at is not None) == ("delivered", True)
    assert len(model.requests) == 1
    assert Message.objects.filter(text="ok").count() == 1


def test_a_scheduled_job_cannot_make_schedules(engine: Engine) -> None:
    engine.script(
        "channel",
        [call("schedule_create", prompt="more", phrase="every minute"), call("branch", task="plan") + call("wait"),
         call("reply", content="done")],
    )  # fmt: skip
    engine.script(
        "branch",
        [call("schedule_create", prompt="more", phrase="every minute"), call("conclude", status="done", conclusion="no")],
    )  # fmt: skip
    fire(plan(engine))
    engine.settle()
    assert Schedule.objects.count() == 1


def test_the_cost_is_that_of_the_job_and_its_children(engine: Engine) -> None:
    engine.script(
        "channel", [call("spawn_worker", task="look") + call("wait"), call("reply", content="nine")]
    )
    engine.script("worker", [call("set_outcome", status="done", summary="nine")])
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    assert firing.finished_at is not None
    assert firing.cost_usd is None  # nobody has priced the script


def test_a_reply_longer_than_a_message_holds_is_refused() -> None:
    from agents.tools.job import MOST_KEPT, Reply, reply

    class Full:
        replies = ["x" * MOST_KEPT]

    class Context:
        process = Full()

    with pytest.raises(ToolRetry):
        reply(Context(), Reply(content="more"))  # type: ignore[arg-type]
