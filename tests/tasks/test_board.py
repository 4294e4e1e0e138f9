"""Writing tasks: numbers, revisions, who may see and change what, and what software cannot do."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from messaging.models import Conversation
from realtime.models import Event
from tasks.authors import by_person
from tasks.errors import Cycle, Stale
from tasks.models import Audience, Task, TaskComment, TaskRevision, TaskState
from tasks.queries import board as queries
from tasks.services.board import create_task, edit_task, restore_revision
from tasks.services.comments import add_comment
from tasks.services.moves import (
    approve_task,
    archive_task,
    move_task,
    reject_task,
    show_to_everyone,
    unarchive_task,
)
from tasks.snapshots import Holder, differences
from tests.api.conftest import as_token
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task, software


def test_numbers_rise_for_each_organization_alone(team: Team, rivals: Team) -> None:
    assert [person_task(team.member).number for _ in range(3)] == [1, 2, 3]
    assert person_task(rivals.member).number == 1


def test_the_number_of_a_task_that_went_is_not_used_again(team: Team) -> None:
    person_task(team.member)
    person_task(team.member).delete()
    assert person_task(team.member).number == 3


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_numbers_of_their_own(team: Team) -> None:
    def write() -> None:
        for _ in range(5):
            person_task(team.member)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Task.objects.values_list("number", flat=True)) == list(range(1, 31))


def test_what_an_agent_writes_lands_in_pending_approval_whatever_it_asks_for(
    team: Team, private: Conversation
) -> None:
    for state in TaskState:
        task = create_task(agent_of(team, private), title="x", state=state)
        assert (task.state, task.audience) == (TaskState.PENDING_APPROVAL, Audience.CONVERSATION)


def test_software_with_a_token_proposes_as_agents_do(team: Team) -> None:
    response = as_token(software(team)).post("/tasks", {"title": "x", "state": "ready"})
    assert (response.status_code, response.json()["state"]) == (201, "pending_approval")
    assert response.json()["moves"] == []


def test_an_agent_buries_nobody_under_proposals(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.services.board.MOST_PROPOSED", 2)
    for _ in range(2):
        create_task(agent_of(team), title="x")
    with pytest.raises(Conflict):
        create_task(agent_of(team), title="x")


def test_an_agents_change_of_an_approved_task_waits_for_approval_again(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    approve_task(team.moderator, task.number, expected_revision=1)
    for change in (
        {"description": "rm -rf /"}, {"assignee": None}, {"skills": ["shell"]}, {"needs": []}, {"priority": "high"},
    ):  # fmt: skip
        edit_task(agent_of(team), task.number, **change)
    task.refresh_from_db()
    assert (task.state, task.decision, task.decided_by) == (TaskState.PENDING_APPROVAL, "", None)


def test_a_priority_alone_does_not_take_an_approval_back(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    approve_task(team.moderator, task.number)
    edit_task(agent_of(team), task.number, priority="high", metadata={"a": 1})
    task.refresh_from_db()
    assert (task.state, task.priority) == (TaskState.READY, 2)


def test_another_agent_changes_nothing(team: Team) -> None:
    task = person_task(team.member)
    with pytest.raises(Forbidden):
        edit_task(agent_of(team), task.number, title="mine")


def test_an_approval_is_for_what_was_read(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    edit_task(agent_of(team), task.number, description="and delete the backups")
    with pytest.raises(Stale):
        approve_task(team.moderator, task.number, expected_revision=1)
    assert approve_task(team.moderator, task.number, expected_revision=2).state == TaskState.READY


def test_members_decide_only_what_runs_with_their_own_authority(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    for decide in (approve_task, reject_task):
        with pytest.raises(Forbidden):
            decide(team.other_member, task.number)
    approve_task(team.member, task.number)
    with pytest.raises(Conflict):
        approve_task(team.member, task.number)
    assert AuditEvent.objects.get(action="task.approved").target == f"task:{task.number}"


def test_a_lapsed_role_decides_nothing(team: Team) -> None:
    from dataclasses import replace

    from accounts.models import Role

    task = create_task(agent_of(team), title="Tidy up")
    lapsed = replace(team.moderator, role=Role.MEMBER)
    with pytest.raises(Forbidden):
        approve_task(lapsed, task.number)


def test_a_token_without_the_scope_moves_nothing_out_of_pending(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    api = as_token(team.moderator, "tasks:read", "tasks:write")
    assert api.post(f"/tasks/{task.number}/move", {"state": "ready"}).status_code == 403
    assert api.post(f"/tasks/{task.number}/approve", {"expected_revision": 1}).status_code == 403
    task.refresh_from_db()
    assert task.state == TaskState.PENDING_APPROVAL


def test_a_rejected_task_leaves_the_board_and_comes_back_to_wait(team: Team) -> None:
    task = create_task(agent_of(team), title="Tidy up")
    reject_task(team.moderator, task.number, note="Too early")
    task.refresh_from_db()
    assert (task.state, task.decision) == (TaskState.PENDING_APPROVAL, "rejected")
    assert queries.list_tasks(team.moderator, queries.TaskFilter()) == []
    with pytest.raises(Conflict):
        approve_task(team.moderator, task.number)
    unarchive_task(team.moderator, task.number)
    assert approve_task(team.moderator, task.number).decision == "approved"


def test_whoever_writes_what_runs_lends_their_authority(team: Team) -> None:
    task = person_task(team.owner, assignee=Holder("agent", team.agent.pk))
    edit_task(by_person(team.moderator), task.number, description="something else")
    task.refresh_from_db()
    assert task.requester_user == team.moderator.user


def test_a_member_who_is_not_concerned_comments_and_changes_nothing(team: Team) -> None:
    task = person_task(team.owner)
    with pytest.raises(Forbidden):
        edit_task(by_person(team.member), task.number, title="mine")
    with pytest.raises(Forbidden):
        move_task(by_person(team.member), task.number, "ready")
    with pytest.raises(Forbidden):
        archive_task(team.member, task.number)
    assert add_comment(by_person(team.member), task.number, "May I?").text == "May I?"


def test_a_stale_write_answers_409_with_both_revisions(team: Team) -> None:
    task, api = person_task(team.member), as_token(team.member)
    first = api("PATCH", f"/tasks/{task.number}", {"title": "One", "expected_revision": 1})
    assert (first.status_code, first.json()["revision"]) == (200, 2)
    second = api("PATCH", f"/tasks/{task.number}", {"title": "Two", "expected_revision": 1})
    assert second.status_code == 409
    assert (second.json()["expected_revision"], second.json()["current_revision"]) == (1, 2)
    assert Task.objects.get().title == "One"


def test_a_change_without_a_difference_writes_nothing(team: Team) -> None:
    task = person_task(team.member, description="same")
    edit_task(by_person(team.member), task.number, description="same", needs=[])
    assert TaskRevision.objects.count() == 1


def test_an_earlier_revision_is_brought_back_whole_but_for_the_state(team: Team) -> None:
    first = person_task(team.member, "First")
    task = person_task(team.member, "Before", description="old", needs=[first.number], skills=["a"])
    author = by_person(team.member)
    edit_task(author, task.number, title="After", description="new", needs=[], skills=[], priority="low")
    move_task(author, task.number, "ready")
    with pytest.raises(Stale):
        restore_revision(author, task.number, 1, expected_revision=2)
    restored = restore_revision(author, task.number, 1, expected_revision=3)
    kept = queries.get_revision(author, task.number, 1).snapshot
    now = queries.get_revision(author, task.number, 4)
    assert [each.field for each in differences(kept, now.snapshot)] == ["state"]
    assert (now.restored_from, restored.state) == (1, TaskState.READY)


def test_cycles_are_refused(team: Team) -> None:
    author = by_person(team.member)
    a, b, c = (person_task(team.member, name).number for name in "abc")
    edit_task(author, b, needs=[a])
    edit_task(author, c, needs=[b])
    for needs in ([c], [b], [a]):
        with pytest.raises(Cycle):
            edit_task(author, a, needs=needs)
    with pytest.raises(InvalidInput):
        edit_task(author, a, needs=[99])


@pytest.mark.django_db(transaction=True)
def test_two_writers_at_once_make_no_cycle(team: Team) -> None:
    a, b = (person_task(team.member, name).number for name in "ab")
    for _ in range(5):
        ends: list[Any] = []

        def link(one: int, other: int, ends: list[Any] = ends) -> None:
            try:
                edit_task(by_person(team.member), one, needs=[other])
                ends.append("made")
            except Cycle:
                ends.append("refused")
            connection.close()

        threads = [threading.Thread(target=link, args=pair) for pair in ((a, b), (b, a))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(ends) == ["made", "refused"]
        for number in (a, b):
            edit_task(by_person(team.member), number, needs=[])


def test_another_organization_finds_nothing(team: Team, rivals: Team) -> None:
    task = person_task(team.owner)
    strangers = by_person(rivals.owner)
    for act in (
        lambda: queries.get_task(rivals.owner, task.number),
        lambda: edit_task(strangers, task.number, title="x"),
        lambda: move_task(strangers, task.number, "ready"),
        lambda: approve_task(rivals.owner, task.number),
        lambda: add_comment(strangers, task.number, "x"),
        lambda: edit_task(agent_of(rivals), task.number, title="x"),
    ):
        with pytest.raises(NotFound):
            act()
    theirs = person_task(rivals.owner)
    for changes in (
        {"assignee": Holder("agent", team.agent.pk)},
        {"owner": Holder("person", team.owner.user.pk)},
    ):
        with pytest.raises(InvalidInput):
            edit_task(strangers, theirs.number, **changes)


def test_what_came_out_of_a_private_conversation_is_for_those_in_it(
    team: Team, private: Conversation
) -> None:
    task = create_task(agent_of(team, private), title="Mia's raise")
    assert queries.get_task(team.member, task.number)
    for other in (team.owner, team.moderator, team.other_member):
        with pytest.raises(NotFound):
            queries.get_task(other, task.number)
    elsewhere = agent_of(team)
    assert queries.page_of_tasks(elsewhere, queries.TaskFilter()) == []
    assert queries.page_of_tasks(agent_of(team, private), queries.TaskFilter()) != []
    events = Event.objects.filter(kind="task.changed")
    assert {event.conversation_id for event in events} == {private.pk}
    show_to_everyone(team.member, task.number)
    assert queries.get_task(team.other_member, task.number)


def test_events_tell_no_words(team: Team) -> None:
    task = person_task(team.member, "Secret plan")
    add_comment(by_person(team.member), task.number, "whisper")
    told = [event.payload for event in Event.objects.filter(kind__startswith="task.")]
    assert len(told) == 2
    assert "Secret" not in str(told)
    assert "whisper" not in str(told)


def test_a_comment_with_a_key_is_made_once(team: Team) -> None:
    task = person_task(team.member)
    for _ in range(2):
        add_comment(by_person(team.member), task.number, "hello", key="k")
    assert TaskComment.objects.count() == 1


def test_pages_of_the_list_go_by_priority_without_gap_or_repeat(team: Team) -> None:
    for place in range(12):
        person_task(team.member, priority=["low", "critical", "medium"][place % 3])
    api, seen, cursor = as_token(team.member), [], ""
    while cursor is not None:
        answer = api.get(f"/tasks?limit=5{f'&cursor={cursor}' if cursor else ''}").json()
        seen += [(item["priority"], item["number"]) for item in answer["items"]]
        cursor = answer["next"]
    order = ["critical", "high", "medium", "low"]
    assert len(seen) == 12
    assert seen == sorted(seen, key=lambda each: (order.index(each[0]), each[1]))


def test_filters_find_what_they_say(team: Team) -> None:
    person_task(team.member, "Buy flour", assignee=Holder("person", team.member.user.pk), state="ready")
    person_task(team.member, "Bake bread", assignee=Holder("agent", team.agent.pk), priority="high")
    api = as_token(team.member)

    def titles(query: str) -> list[str]:
        return [item["title"] for item in api.get(f"/tasks?{query}").json()["items"]]

    assert titles("assignee=me") == ["Buy flour"]
    assert titles(f"assignee=agent:{team.agent.pk}") == ["Bake bread"]
    assert titles("state=ready&state=done") == ["Buy flour"]
    assert titles("priority=high") == ["Bake bread"]
    assert titles("search=bread") == titles("search=%232") == ["Bake bread"]
    assert api.get("/tasks?assignee=somebody").status_code == 422
