"""Who may move a task from where to where: the whole table, asked at the services' door."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from django.utils import timezone

from accounts.errors import AccountsError
from tasks.authors import Author, by_person
from tasks.models import AuthorKind, Task, TaskState
from tasks.services.moves import approve_task, move_task, reject_task
from tasks.transitions import TRANSITIONS, Who, check_move
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task, software

PAIRS = list(itertools.product(TaskState, TaskState))
PEOPLE = (Who.MODERATOR, Who.REQUESTER, Who.ASSIGNEE, Who.MEMBER)


def author_as(who: Who, team: Team, task: Task) -> Author:
    """Return somebody who acts on the task in this capacity and no other."""
    if who in (Who.WORKER, Who.SYSTEM):
        kind = AuthorKind.WORKER if who == Who.WORKER else AuthorKind.SYSTEM
        return Author(kind, team.organization.pk, agent_id=team.agent.pk)
    if who == Who.AGENT:
        return agent_of(team)
    if who == Who.MODERATOR:
        return by_person(team.moderator)
    changes = {Who.REQUESTER: "requester_user_id", Who.ASSIGNEE: "assignee_user_id"}
    if who in changes:
        setattr(task, changes[who], team.other_member.user.pk)
        task.save()
    return by_person(team.other_member)


def put(task: Task, state: TaskState) -> None:
    task.state = state
    task.completed_at = timezone.now() if state == TaskState.DONE else None
    task.save()


@pytest.mark.parametrize("who", list(Who))
def test_every_move_is_made_by_those_who_may_and_by_nobody_else(team: Team, who: Who) -> None:
    task = person_task(team.owner)
    author = author_as(who, team, task)
    wrong = []
    for before, after in PAIRS:
        if before == after:
            continue
        put(task, before)
        allowed = who in TRANSITIONS.get((before, after), frozenset())
        try:
            check_move(author, task, after)
            happened = True
        except AccountsError:
            happened = False
        if happened != allowed:
            wrong.append((before, after))
    assert wrong == []


@pytest.mark.parametrize("who", PEOPLE)
def test_the_service_makes_exactly_the_moves_of_the_table(team: Team, who: Who) -> None:
    task = person_task(team.owner)
    author = author_as(who, team, task)
    wrong = []
    for before, after in PAIRS:
        task.assignee_user_id = author.user_id if who == Who.ASSIGNEE else None
        put(task, before)
        allowed = before == after or who in TRANSITIONS.get((before, after), frozenset())
        with contextlib.suppress(AccountsError):
            move_task(author, task.number, after)
        task.refresh_from_db()
        if (task.state == after) != allowed:
            wrong.append((before, after))
    assert wrong == []


def test_no_software_leads_out_of_pending_approval() -> None:
    software_kinds = {Who.AGENT, Who.WORKER, Who.SYSTEM}
    for (before, _), who in TRANSITIONS.items():
        assert before != TaskState.PENDING_APPROVAL or not who & software_kinds


def test_nothing_leads_to_pending_approval_by_a_move() -> None:
    assert not [pair for pair in TRANSITIONS if pair[1] == TaskState.PENDING_APPROVAL]


def test_a_membership_of_software_decides_nothing(team: Team) -> None:
    bot = software(team)
    task = person_task(team.owner)
    put(task, TaskState.PENDING_APPROVAL)
    Task.objects.filter(pk=task.pk).update(requester_user_id=bot.user.pk, assignee_user_id=bot.user.pk)
    for act in (
        lambda: approve_task(bot, task.number),
        lambda: reject_task(bot, task.number),
        lambda: move_task(by_person(bot), task.number, "ready"),
    ):
        with pytest.raises(AccountsError):
            act()
    task.refresh_from_db()
    assert (task.state, task.archived_at) == (TaskState.PENDING_APPROVAL, None)
