"""Erasing a person takes their words off the board, out of goals, approvals and notices, and proves it."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from accounts.models import Person
from memory.services.erasure import erase_person
from messaging.models import Conversation
from realtime.models import Notice
from tasks.authors import by_person
from tasks.models import Approval, Goal, Task
from tasks.services import comments, goals
from tasks.services.approvals.deciding import answer, decide
from tasks.services.board import create_task, edit_task
from tasks.services.moves import approve_task, move_task, reject_task
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task
from tests.tasks.test_proposals import open_one, proposed

WORD = "heliotrope"


def left(word: str = WORD) -> list[str]:
    """Return where a word still stands in anything that tasks and notices keep."""
    found = []
    for model in [*apps.get_app_config("tasks").get_models(), Notice]:
        found += [model.__name__ for row in model._default_manager.values() if word in str(row)]
    return found


def erase(actor: Any) -> Any:
    person = Person.objects.get(organization=actor.organization, user=actor.user)
    return erase_person(actor.organization.pk, person.pk)


def test_what_a_person_wrote_on_the_board_goes_and_what_others_wrote_stays(team: Team) -> None:
    mine = person_task(team.member, f"{WORD} one", description=WORD, subtasks=[{"title": WORD}])
    other = person_task(team.moderator, "Theirs", description="kept")
    move_task(by_person(team.member), mine.number, "ready", reason=WORD)
    edit_task(by_person(team.moderator), mine.number, description=f"{WORD}, and more")
    edit_task(by_person(team.moderator), other.number, assignee=None, priority="high")
    comments.add_comment(by_person(team.member), other.number, WORD)
    comments.add_comment(by_person(team.moderator), mine.number, "a word of mine")
    goals.create_goal(by_person(team.member), title=WORD, description=WORD)
    goals.note_goal(agent_of(team), Goal.objects.get().pk, WORD)
    assert left()
    person = Person.objects.get(organization=team.organization, user=team.member.user)
    assert erase_person(team.organization.pk, person.pk).is_complete
    assert left() == []
    assert Task.objects.get(number=other.number).description == "kept"
    assert "a word of mine" in str(list(mine.comments.values()))
    assert erase_person(team.organization.pk, person.pk).is_complete


def test_what_they_said_while_deciding_goes_and_that_they_decided_stays(team: Team) -> None:
    first, second, third = proposed(team), proposed(team), proposed(team)
    approve_task(team.moderator, first.number, note=WORD)
    reject_task(team.moderator, second.number, note=WORD)
    asked = open_one(task=third)
    decide(team.moderator, asked.pk, "ask_back", comment=WORD)
    answer(team.member, asked.pk, "because")
    erase(team.moderator)
    assert left() == []
    assert [Approval.objects.get(task=each).state for each in (first, second, third)] == [
        "executed",
        "rejected",
        "open",
    ]
    assert "because" in str(Approval.objects.get(task=third).discussion)


def test_what_an_agent_proposed_for_them_in_private_goes(team: Team, private: Conversation) -> None:
    create_task(agent_of(team, private), title=WORD, description=WORD)
    goal = goals.create_goal(agent_of(team, private), title="x")
    Goal.objects.filter(pk=goal.pk).update(title=WORD, status="active")
    erase(team.member)
    assert left() == []
    assert Task.objects.get().archived_at
    assert Approval.objects.get(task__isnull=False).state == "withdrawn"


def test_others_keep_their_words(team: Team, rivals: Team) -> None:
    person_task(team.moderator, WORD)
    person_task(rivals.member, WORD)
    proposed(team, description=WORD)
    before = sorted(left())
    erase(team.other_member)
    assert sorted(left()) == before
