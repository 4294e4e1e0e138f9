"""An agent by itself: what it is told, whose authority its work has, and what it knows."""

from __future__ import annotations

from accounts.models import Membership
from agents.models import Run, RunKind, RunState, ToolCall
from llm.clients.scripted import call
from llm.types import UserMessage
from memory.models import Memory, Source
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, Provenance, conversation
from memory.types import Author as By
from tasks.authors import Author, by_person
from tasks.models import (
    AuthorKind,
    TaskState,
    Wake,
    WakeEvent,
    WakeState,
)
from tasks.services import board, comments, goals, moves
from tasks.services.wakes.ringing import fire
from tasks.snapshots import Holder
from tests.agents.autonomy.conftest import DONE, FINISH, Alone, event, told


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
