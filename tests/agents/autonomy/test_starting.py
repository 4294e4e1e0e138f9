"""When an agent starts by itself, and that idling costs nothing."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import InvalidInput
from agents.autonomy import settings
from agents.models import Run
from llm.clients.scripted import call
from tasks.authors import by_person
from tasks.services import comments, goals, moves
from tests.agents.autonomy.conftest import FINISH, Alone


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
