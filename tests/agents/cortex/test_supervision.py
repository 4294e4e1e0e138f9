from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from agents.cortex import supervision
from agents.cortex.jobs import Result, Work
from agents.engine.claims import Claim, claim, fenced
from agents.errors import LostLease
from agents.models import CortexLog, Report, Run, RunState
from agents.processes import sentences
from messaging.models import Handling, Message
from realtime.models import Event
from tests.agents.conftest import Engine


def watch(engine: Engine) -> Result:
    return supervision.supervise(Work(0, "supervision", engine.team.agent, {}, 0))


def start(engine: Engine, kind: str = "worker", **fields: Any) -> tuple[Run, Claim]:
    run = Run.objects.create(
        organization=engine.team.organization, agent=engine.team.agent, conversation=engine.conversation,
        kind=kind, title="a secret task", input={"task": "a secret task"}, due_at=timezone.now(), **fields,
    )  # fmt: skip
    taken = claim(run.pk, kind, engine.conversation.pk)
    assert taken is not None
    return run, taken


def began(run: Run, *, seconds: int) -> None:
    Run.objects.filter(pk=run.pk).update(claimed_at=timezone.now() - timedelta(seconds=seconds))


def lines() -> list[tuple[str, str]]:
    return list(CortexLog.objects.order_by("pk").values_list("event", "text"))


def test_a_run_past_its_time_whose_executor_hangs_is_ended_in_its_place(engine: Engine) -> None:
    run, hanging = start(engine, active_limit_s=600)
    began(run, seconds=700)
    assert watch(engine).detail["ended"] == 1
    run.refresh_from_db()
    assert run.state == RunState.TIMED_OUT
    assert Report.objects.get().outcome == "failed"
    with pytest.raises(LostLease), fenced(hanging):
        pass
    assert [event for event, _ in lines()] == ["run_ended"]
    assert watch(engine).detail == {"ended": 0, "noticed": 0}
    assert Event.objects.filter(kind="cortex.alarm").count() == 1


def test_a_hanging_channel_still_tells_people_that_it_took_too_long(engine: Engine) -> None:
    engine.say("are you there?")
    run = Run.objects.get(kind="channel")
    assert claim(run.pk, "channel", engine.conversation.pk)
    began(run, seconds=1_000)
    watch(engine)
    assert engine.replies() == [sentences.TIMED_OUT]
    assert Message.objects.get(direction="in").handling == Handling.ANSWERED


def test_a_run_within_its_time_and_grace_is_left_to_its_executor(engine: Engine) -> None:
    run, _ = start(engine, active_limit_s=600)
    began(run, seconds=630)
    watch(engine)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_time_spent_in_earlier_executions_counts_and_waiting_does_not(engine: Engine) -> None:
    run, _ = start(engine, active_limit_s=600, active_ms=550_000)
    began(run, seconds=90)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(days=1))
    watch(engine)
    assert lines() == []
    began(run, seconds=120)
    watch(engine)
    assert [event for event, _ in lines()] == ["run_ended"]


def test_what_moved_on_meanwhile_is_not_ended(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = start(engine, active_limit_s=600)
    began(run, seconds=1_000)
    seen = supervision.end_overdue

    def late(run_id: int, fence: int) -> bool:
        Run.objects.filter(pk=run_id).update(fence=fence + 1)
        return seen(run_id, fence)

    monkeypatch.setattr(supervision, "end_overdue", late)
    assert watch(engine).detail["ended"] == 0
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("run_recovered", {"recoveries": 3}),
        ("run_silent", {"lease_expires_at": timezone.now() - timedelta(minutes=10)}),
        (
            "run_queued",
            {"state": "queued", "due_at": timezone.now() - timedelta(hours=1), "lease_expires_at": None},
        ),
    ],
)
def test_what_nobody_takes_up_is_told_once_by_number_without_its_words(
    engine: Engine, event: str, fields: dict[str, Any]
) -> None:
    run, _ = start(engine)
    Run.objects.filter(pk=run.pk).update(**fields)
    watch(engine)
    watch(engine)
    assert [each for each, _ in lines()] == [event]
    assert str(run.pk) in lines()[0][1]
    assert "secret" not in str(list(CortexLog.objects.values()) + list(Event.objects.filter(
        kind="cortex.alarm").values()))  # fmt: skip


def test_the_runs_of_other_agents_are_their_own_cortexs_matter(engine: Engine) -> None:
    from agents.models import Agent

    run, _ = start(engine, active_limit_s=600)
    began(run, seconds=1_000)
    stranger = Agent.objects.get(organization__slug="rivals")
    assert supervision.supervise(Work(0, "supervision", stranger, {}, 0)).detail == {"ended": 0, "noticed": 0}
