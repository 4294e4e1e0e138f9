"""What a level, a ceiling, a goal and a budget let an agent do, whatever its model calls."""

from __future__ import annotations

import pytest

from agents.autonomy import levels, settings
from agents.models import Agent, Run, RunKind, RunState, ToolCall
from llm.clients.scripted import call
from messaging.services.conversations import start_conversation
from tasks.authors import Author, by_person
from tasks.models import (
    Approval,
    AuthorKind,
    Level,
    Task,
    TaskState,
    Wake,
)
from tasks.services import board, comments, goals, moves
from tasks.services.wakes.ringing import fire
from tasks.snapshots import Holder
from tests.agents.autonomy.conftest import DONE, FINISH, Alone, told


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
