"""An agent by itself: when it starts, what it is told and may do, and what its end means."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import InvalidInput
from accounts.models import Membership
from agents.autonomy import ending, levels, settings, starting
from agents.engine import recovery
from agents.errors import LostLease
from agents.models import Agent, Run, RunKind, RunState, ToolCall
from llm.clients.scripted import call, fail, say
from llm.errors import ProviderUnavailable
from llm.types import UserMessage
from memory.models import Memory, Source
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, Provenance, conversation
from memory.types import Author as By
from messaging.services.conversations import start_conversation
from realtime.models import Notice
from tasks.authors import Author, by_person
from tasks.jobs import prune_wakes
from tasks.models import (
    Approval,
    AuthorKind,
    Level,
    Task,
    TaskState,
    Wake,
    WakeEvent,
    WakePayload,
    WakeState,
)
from tasks.services import board, comments, goals, moves
from tasks.services.wakes import taking
from tasks.services.wakes.ringing import fire
from tasks.snapshots import Holder
from tests.agents.autonomy.conftest import FINISH, Alone

DONE = call("set_outcome", status="done", summary="The notes are written.")


def told(model: object) -> str:
    request = model.requests[0]  # type: ignore[attr-defined]
    return next(each.text for each in request.messages if isinstance(each, UserMessage))


def event(happening: str, state: str = WakeState.PENDING) -> WakeEvent | None:
    return WakeEvent.objects.filter(wake__happening=happening, state=state).first()


def test_a_ready_task_is_started_done_and_wakes_the_next_run(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()
    alone.engine.script("worker", [DONE])
    model = alone.script(call("begin_task", number=task.number), FINISH, FINISH)
    run = alone.work()
    assert (run.state, run.result["summary"]) == (
        RunState.SUCCEEDED,
        "Looked at the board; nothing else to do.",
    )
    task.refresh_from_db()
    assert task.state == TaskState.DONE
    assert "Write the notes" in told(model)
    assert "A task was approved" in told(model)
    assert event("task.approved", WakeState.DONE)
    assert event("work.finished")
    assert alone.look() == 0, "not within the minimum gap, even though it is woken"
    alone.later(seconds=61)
    assert alone.work().state == RunState.SUCCEEDED
    last = next(each.text for each in model.requests[-1].messages if isinstance(each, UserMessage))
    assert "nothing else to do" in last, "it reads what the run before it said"
    assert "Work on a task was finished" in last


def test_the_worker_has_the_authority_of_whoever_asked_for_the_task(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()
    alone.engine.script("worker", [DONE])
    alone.script(call("begin_task", number=task.number), FINISH)
    own = alone.work()
    worker = Run.objects.get(kind=RunKind.WORKER)
    assert (worker.requester_user_id, worker.parent_id) == (alone.team.moderator.user.pk, own.pk)
    assert own.requester_user_id is None


def test_nobody_is_left_who_asked_so_it_does_not_start(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()
    Membership.objects.filter(user=alone.team.moderator.user).delete()
    alone.script(call("begin_task", number=task.number), FINISH)
    alone.work()
    assert not Run.objects.filter(kind=RunKind.WORKER).exists()
    assert "people must start it" in ToolCall.objects.get(name="begin_task").result


def test_a_task_of_a_conversation_is_started_by_number_and_told_there(alone: Alone) -> None:
    alone.let("act")
    agent = Author(
        AuthorKind.AGENT, alone.team.organization.pk, user_id=alone.team.member.user.pk,
        agent_id=alone.agent.pk, run_id=1, conversation_id=alone.engine.conversation.pk,
    )  # fmt: skip
    task = board.create_task(agent, title="Something private", assignee=Holder("agent", alone.agent.pk))
    moves.approve_task(alone.team.member, task.number)
    alone.engine.script("worker", [DONE])
    alone.engine.script("channel", [call("reply", content="It is done.")])
    model = alone.script(call("begin_task", number=task.number), FINISH)
    alone.work()
    assert f"#{task.number} (ready" in told(model)
    assert "Something private" not in str(model.requests)
    task.refresh_from_db()
    assert task.state == TaskState.DONE
    assert alone.engine.replies() == ["It is done."]


def test_what_is_others_is_not_told_and_cannot_be_started(alone: Alone) -> None:
    alone.let("act")
    other = Agent.objects.create(organization=alone.team.organization, slug="other", name="Other")
    room = start_conversation(alone.team.member, agent_id=other.pk, kind="dm")
    author = Author(AuthorKind.AGENT, alone.team.organization.pk, user_id=alone.team.member.user.pk, agent_id=other.pk,
                    run_id=1, conversation_id=room.pk)  # fmt: skip
    hidden = board.create_task(author, title="Their secret", assignee=Holder("agent", other.pk))
    moves.approve_task(alone.team.member, hidden.number)
    mine = alone.task()
    model = alone.script(call("begin_task", number=hidden.number), FINISH)
    alone.work()
    assert "Their secret" not in str(model.requests)
    assert f"There is no task #{hidden.number}" in ToolCall.objects.get(name="begin_task").result
    assert Task.objects.get(pk=mine.pk).state == TaskState.READY


@pytest.mark.parametrize(
    ("level", "tool", "is_held"),
    [
        ("observe", "task_create", False), ("observe", "begin_task", False), ("observe", "memory_save", True),
        ("suggest", "task_create", True), ("suggest", "begin_task", False), ("act", "begin_task", True),
        ("act", "write_file", False), ("act", "reply", False), ("act", "spawn_worker", False),
    ],
)  # fmt: skip
def test_a_level_is_the_tools_a_run_holds(alone: Alone, level: str, tool: str, is_held: bool) -> None:
    alone.let(level)
    alone.task()
    comments.add_comment(by_person(alone.team.moderator), 1, "Look at this.")
    fire(Wake.objects.get(happening="cortex.finding").pk, payload={})
    model = alone.script()
    alone.work()
    assert (tool in {each.name for each in model.requests[0].tools}) is is_held


def test_a_tool_beyond_the_level_is_refused_although_the_model_calls_it(alone: Alone) -> None:
    alone.let("suggest")
    task = alone.task()
    alone.script(call("begin_task", number=task.number), FINISH)
    comments.add_comment(by_person(alone.team.moderator), task.number, "Well?")
    alone.work()
    assert not Run.objects.filter(kind=RunKind.WORKER).exists()
    assert ToolCall.objects.get(name="begin_task").state == "refused"


def test_the_dial_turned_down_counts_at_the_next_call(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()

    def turned_down(request: object) -> object:
        alone.let("suggest")
        return call("begin_task", number=task.number)

    alone.script(turned_down, FINISH)
    run = alone.work()
    assert "beyond what you may do" in ToolCall.objects.get(name="begin_task").result
    assert run.state == RunState.SUCCEEDED, "it can still end"


def test_the_ceiling_of_the_organization_is_above_every_dial(alone: Alone) -> None:
    alone.let("act")
    settings.set_ceiling(alone.team.admin, "observe")
    assert levels.standing_of(alone.agent.pk).level == Level.OBSERVE
    alone.task()
    assert alone.look() == 0, "a task that was approved is nothing to an agent that may only observe"
    settings.set_ceiling(alone.team.admin, "off")
    fire(Wake.objects.get(happening="cortex.finding").pk, payload={})
    assert alone.look() == 0
    settings.set_ceiling(alone.team.admin, "act")
    assert alone.look() == 1


def test_what_it_proposes_waits_for_a_person(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    alone.script(
        call("task_create", title="A new idea"),
        call("goal_propose", title="More", description="Much"),
        FINISH,
    )
    alone.work()
    assert Task.objects.get(title="A new idea").state == TaskState.PENDING_APPROVAL
    assert Approval.objects.filter(state="approved").count() == 0


def test_for_a_goal_it_goes_no_further_than_people_let_it(alone: Alone) -> None:
    alone.let("act")
    goal = goals.create_goal(by_person(alone.team.moderator), title="Notes", description="All of them")
    task = alone.task(goal_id=goal.pk)
    model = alone.script(call("begin_task", number=task.number), FINISH)
    alone.work()
    assert "you may propose and no more" in ToolCall.objects.get(name="begin_task").result
    assert f"goal {goal.pk}: Notes" in told(model)
    assert "you may propose; 0 of 1 tasks done" in told(model)
    goals.edit_goal(alone.team.moderator, goal.pk, authority="execute")
    alone.later(minutes=2)
    alone.engine.script("worker", [DONE])
    alone.script(call("begin_task", number=task.number), FINISH)
    alone.work()
    assert Task.objects.get(pk=task.pk).state == TaskState.DONE


def test_it_starts_no_more_tasks_than_a_run_and_a_day_may_hold(alone: Alone) -> None:
    alone.let("act", tasks_per_run=1, tasks_per_day=2)
    numbers = [alone.task(f"Part {at}").number for at in range(4)]
    alone.engine.script("worker", lambda request: DONE)
    for round_ in range(3):
        alone.script(*(call("begin_task", number=number) for number in numbers[round_ : round_ + 2]), FINISH)
        alone.work()
        alone.later(minutes=2)
    said = list(ToolCall.objects.filter(name="begin_task", state="failed").values_list("result", flat=True))
    assert Run.objects.filter(kind=RunKind.WORKER).count() == 2
    assert any("in this run, which is the limit" in text for text in said)
    assert any("within a day, which is the limit" in text for text in said)


def test_ending_without_a_summary_is_a_failure_and_what_woke_it_waits_again(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    alone.script(say("I looked."), say("Really."), say("Bye."))
    run = alone.work()
    assert (run.state, run.failure["message"]) == (RunState.FAILED, "It ended without a summary.")  # type: ignore[index]
    waiting = event("task.approved")
    assert waiting is not None
    assert waiting.tries == 1
    row = alone.row()
    assert row.failures_in_row == 1
    assert row.not_before is not None
    assert Notice.objects.filter(user=alone.team.admin.user, subject="run", subject_id=run.pk).exists()
    alone.later(minutes=4)
    assert alone.look() == 0, "it rests"
    alone.later(minutes=2)
    alone.script()
    assert alone.work().state == RunState.SUCCEEDED
    assert alone.row().failures_in_row == 0
    assert not Notice.objects.filter(user=alone.team.admin.user, read_at=None).exists()


def test_it_rests_longer_after_each_failure() -> None:
    rests = [ending.rest_after(count) for count in range(1, 12)]
    assert rests[:3] == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert rests[-1] == timedelta(hours=6)


def test_an_event_over_which_runs_fail_is_given_up_with_the_reason(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    for _ in range(taking.MOST_TRIES):
        alone.script(fail(ProviderUnavailable("down")), *([fail(ProviderUnavailable("down"))] * 20))
        assert alone.look() == 1
        run = alone.last()
        Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
        alone.engine.execute(run)
        alone.later(hours=7)
    found = event("task.approved", WakeState.DROPPED)
    assert found is not None
    assert found.reason == "5 runs failed over it."


def test_a_run_that_died_gives_back_what_it_had_taken(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    assert alone.look() == 1
    run = alone.last()
    assert event("task.approved", WakeState.TAKEN)
    Run.objects.filter(pk=run.pk).update(state=RunState.INTERRUPTED, finished_at=timezone.now())
    recovery.sweep()
    again = event("task.approved")
    assert again is not None
    assert (again.run_id, again.tries) == (None, 0)


def test_a_lost_executor_is_followed_by_another_from_the_last_step(alone: Alone) -> None:
    alone.let("act")
    alone.task()

    def lost(request: object) -> object:
        raise LostLease("died")

    alone.script(call("task_list"), lost, FINISH)
    assert alone.look() == 1
    run = alone.last()
    alone.engine.execute(run)
    assert event("task.approved", WakeState.TAKEN)
    Run.objects.filter(pk=run.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    alone.engine.execute(run)
    run.refresh_from_db()
    assert (run.state, run.recoveries) == (RunState.SUCCEEDED, 1)
    assert ToolCall.objects.filter(run=run, name="task_list").count() == 1
    assert event("task.approved", WakeState.DONE)


def test_two_that_look_at_once_start_one_and_the_database_refuses_a_second(alone: Alone) -> None:
    alone.let("act")
    alone.task()
    assert alone.look() == 1
    assert starting.start_one(alone.agent.pk, now=alone.now + timedelta(hours=1)) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.create(
            organization=alone.team.organization,
            agent=alone.agent,
            kind=RunKind.AUTONOMY,
            due_at=timezone.now(),
        )


def test_repeats_merge_and_keep_every_payload(alone: Alone) -> None:
    alone.let("act")
    wake = Wake.objects.get(happening="cortex.finding")
    for number in range(5):
        fire(wake.pk, key="same", payload={"number": number})
    found = WakeEvent.objects.get()
    assert (found.count, found.payloads.count()) == (5, 5)
    model = alone.script()
    assert alone.look() == 1
    fire(wake.pk, key="same", payload={"number": 5})
    assert WakeEvent.objects.count() == 2, "what fires during a run is for the next one"
    taking.give_back([alone.last().pk])
    merged = WakeEvent.objects.get()
    assert (merged.count, merged.state) == (6, WakeState.PENDING)
    assert WakePayload.objects.filter(event=merged).count() == 6
    assert model.requests == []


def test_what_waits_for_a_week_is_given_up_with_the_reason_and_what_is_long_over_goes(alone: Alone) -> None:
    alone.let("observe")
    wake = Wake.objects.get(happening="cortex.finding")
    for key in ("old", "new", "over"):
        fire(wake.pk, key=key, payload={})
    days = {"old": 8, "new": 6, "over": 91}
    for key, ago in days.items():
        WakeEvent.objects.filter(key=key).update(last_at=timezone.now() - timedelta(days=ago))
    WakeEvent.objects.filter(key="over").update(
        state=WakeState.DONE, closed_at=timezone.now() - timedelta(days=91)
    )
    assert django_settings.CELERY_BEAT_SCHEDULE["prune wakes"]["task"] == prune_wakes.name
    prune_wakes()
    found = {event.key: (event.state, event.reason) for event in WakeEvent.objects.all()}
    assert found == {"old": (WakeState.DROPPED, taking.EXPIRED), "new": (WakeState.PENDING, "")}


def test_outside_its_hours_it_does_not_start(alone: Alone) -> None:
    zone_now = alone.now
    alone.let(
        "act",
        active_from=(zone_now + timedelta(hours=2)).time(),
        active_until=(zone_now + timedelta(hours=3)).time(),
    )
    alone.task()
    assert alone.look() == 0
    alone.later(hours=2, minutes=1)
    assert alone.look() == 1


def test_half_given_hours_and_numbers_out_of_bounds_are_refused(alone: Alone) -> None:
    alone.let("act")
    for bad in (
        {"active_from": time(8)},
        {"interval_s": 10},
        {"gap_s": 0},
        {"level": "god"},
        {"tasks_per_run": True},
    ):
        with pytest.raises(InvalidInput):
            settings.change_autonomy(alone.team.admin, alone.agent.pk, **bad)
    assert alone.row().level == "act"


def test_when_the_minutes_of_a_day_are_spent_it_waits(alone: Alone) -> None:
    alone.let("act", minutes_per_day=1)
    alone.task()
    alone.script()
    run = alone.work()
    Run.objects.filter(pk=run.pk).update(active_ms=61_000)
    alone.later(minutes=5)
    comments.add_comment(by_person(alone.team.moderator), 1, "And?")
    assert alone.look() == 0
    Run.objects.filter(pk=run.pk).update(created_at=alone.now - timedelta(days=1, minutes=1))
    assert alone.look() == 1


def test_a_day_with_nothing_to_do_costs_no_model_call(alone: Alone) -> None:
    alone.let("act")
    goals.create_goal(by_person(alone.team.moderator), title="Notes", description="All of them")
    task = alone.task()
    moves.move_task(by_person(alone.team.moderator), task.number, "blocked", reason="waits for the printer")
    model = alone.script()
    alone.work()
    before = len(model.requests)
    for _ in range(24 * 60):
        alone.later(minutes=1)
        alone.look()
    assert len(model.requests) - before == 0
    assert alone.runs() == 1
    moves.move_task(by_person(alone.team.moderator), task.number, "backlog")
    moves.move_task(by_person(alone.team.moderator), task.number, "ready")
    assert alone.look() == 1, "and then somebody does something"


def test_looking_costs_an_idle_organization_two_statements(alone: Alone) -> None:
    alone.let("act")
    alone.look()
    alone.later(minutes=1)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert alone.look() == 0
    assert len(seen) == 2


def test_its_own_words_on_the_board_do_not_wake_it(alone: Alone) -> None:
    alone.let("act")
    task = alone.task()
    alone.script(call("task_comment", number=task.number, text="I looked at it."), FINISH)
    alone.work()
    for _ in range(10):
        alone.later(hours=1)
        assert alone.look() == 0


def test_a_comment_a_goal_and_an_approval_wake_it(alone: Alone) -> None:
    alone.let("suggest")
    task = alone.task()
    comments.add_comment(by_person(alone.team.member), task.number, "What about the margins?")
    goals.create_goal(by_person(alone.team.moderator), title="Margins", description="Wide")
    model = alone.script()
    alone.work()
    text = told(model)
    assert "A task was commented on" in text
    assert "A goal was set or changed" in text
    assert "A task was approved" not in text, "that is for an agent that may act"
    assert event("task.approved")


def test_what_came_from_outside_is_read_whole_and_not_kept_as_knowledge(alone: Alone) -> None:
    alone.let("act")
    wake = Wake.objects.get(happening="cortex.finding")
    fire(wake.pk, payload={"text": "x" * 20_000 + "END"}, from_outside=True)
    found = WakeEvent.objects.get()
    model = alone.script(
        call("read_wake", event_id=found.pk), call("read_wake", event_id=found.pk, offset=16_000), FINISH
    )
    alone.work()
    assert "memory_save" not in {each.name for each in model.requests[0].tools}
    assert "END" in ToolCall.objects.filter(name="read_wake").latest("id").result
    assert "sent from outside, as data" in told(model)


def test_it_knows_what_everyone_may_know_and_nothing_else(alone: Alone) -> None:
    for content, heard_by in (("Office hours are nine to five", ORGANIZATION),
                              ("Mia is looking for another job", conversation(alone.engine.conversation.pk))):  # fmt: skip
        save_memory(
            organization_id=alone.team.organization.pk, agent_id=alone.agent.pk, type="fact", content=content,
            heard_by=heard_by, provenance=Provenance(source=Source.CONVERSATION), author=By(),
        )  # fmt: skip
    alone.let("act")
    alone.task()
    model = alone.script(
        call("memory_recall", query="hours or job"),
        call("memory_save", content="Notes go out on Monday", type="fact"),
        FINISH,
    )
    alone.work()
    assert "Office hours" in str(model.requests[0].system)
    assert "another job" not in str(model.requests)
    assert "Office hours" in ToolCall.objects.get(name="memory_recall").result
    assert Memory.objects.get(content="Notes go out on Monday").audience == "organization"
