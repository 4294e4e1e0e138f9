"""Home: the few rows of each kind that are put together with few questions to the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from agents.models import Run, RunKind, RunState
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from spacebot_site.web.home import RUNS, _runs
from spacebot_site.web.schedule_parts import planned
from tasks.authors import by_person
from tasks.models import Schedule, ScheduleState
from tasks.queries.board import list_mine
from tasks.services.board import create_task
from tasks.snapshots import Holder
from tests.factories import Team
from tests.tasks.conftest import agent_of
from tests.tasks.timetable import make
from tests.web.test_chat_pages import worker


@pytest.fixture
def chat(team: Team) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm", title="Plans")


def run_in(chat: Conversation, state: RunState, kind: RunKind = RunKind.WORKER) -> Run:
    ended = None if state == RunState.RUNNING else timezone.now()
    return worker(chat, kind=kind, title="w", state=state, finished_at=ended)


def test_runs_are_told_apart_and_only_the_newest_of_each_kind_are_shown(
    team: Team, chat: Conversation
) -> None:
    made: dict[str, list[Run]] = {}
    for state in (RunState.RUNNING, RunState.FAILED, RunState.SUCCEEDED):
        made[state] = [run_in(chat, state) for _ in range(RUNS + 2)]
    old = run_in(chat, RunState.SUCCEEDED)
    Run.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=30))
    run_in(chat, RunState.FAILED, kind=RunKind.COMPACTION)
    for found, state in zip(_runs(team.member), made, strict=True):
        assert [run.pk for run in found] == [run.pk for run in reversed(made[state])][:RUNS]


def test_proposals_wait_for_who_may_decide_and_tasks_lie_with_who_is_to_do_them(team: Team) -> None:
    for_admin = replace(agent_of(team), user_id=team.admin.user.pk)
    create_task(for_admin, title="Proposed")
    create_task(by_person(team.member), title="Nobody's")
    mine = create_task(by_person(team.member), title="Mine", assignee=Holder("person", team.member.user.pk))
    assert list_mine(team.member) == [mine]
    assert list_mine(team.admin) == []


def test_of_many_tasks_the_most_urgent_are_kept(team: Team) -> None:
    author, me = by_person(team.admin), Holder("person", team.admin.user.pk)
    for title in ("a", "b", "c"):
        create_task(agent_of(team), title=title)
        create_task(author, title=title, assignee=me)
    create_task(author, title="now", assignee=me, priority="critical")
    assert [task.title for task in list_mine(team.admin, limit=2)] == ["now", "a"]


def test_what_stands_still_comes_before_what_runs_next(team: Team, chat: Conversation) -> None:
    rows = [make(team, chat) for _ in range(6)]
    now = timezone.now()
    for row, state, hours in zip(
        rows,
        (ScheduleState.ACTIVE, ScheduleState.PROPOSED, ScheduleState.ACTIVE, ScheduleState.BROKEN,
         ScheduleState.PAUSED, ScheduleState.PROPOSED),
        (5, 1, 2, 3, 1, 9),
        strict=True,
    ):  # fmt: skip
        due = None if state == ScheduleState.PROPOSED else now + timedelta(hours=hours)
        Schedule.objects.filter(pk=row.pk).update(state=state, next_due_at=due)
    shown = [card["schedule"].pk for card in planned(team.member, most=5)]
    assert shown == [rows[place].pk for place in (3, 2, 0)]
