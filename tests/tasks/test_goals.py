"""Goals: agents propose, people decide."""

from __future__ import annotations

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from messaging.models import Conversation
from tasks.authors import by_person
from tasks.errors import Cycle, Stale
from tasks.models import Audience, Goal, GoalStatus
from tasks.queries import board as queries
from tasks.services.goals import STATUSES, create_goal, edit_goal, note_goal, set_goal_status
from tasks.services.moves import move_task
from tests.api.conftest import as_token
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task, software


def test_an_agents_goal_waits_and_is_seen_where_it_was_proposed(team: Team, private: Conversation) -> None:
    goal = create_goal(agent_of(team, private), title="Tidy", description="No mess")
    assert (goal.status, goal.authority, goal.audience) == ("proposed", "propose", Audience.CONVERSATION)
    with pytest.raises(NotFound):
        queries.get_goal(team.owner, goal.pk)
    with pytest.raises(Forbidden):
        set_goal_status(team.member, goal.pk, "active")
    assert queries.get_goal(team.member, goal.pk)


def test_a_moderator_activates_and_then_everyone_sees_it(team: Team) -> None:
    goal = create_goal(agent_of(team), title="Tidy")
    Goal.objects.filter(pk=goal.pk).update(owner_user=team.moderator.user, audience=Audience.CONVERSATION)
    set_goal_status(team.moderator, goal.pk, "active")
    set_goal_status(team.moderator, goal.pk, "active")
    assert queries.get_goal(team.other_member, goal.pk).status == "active"
    assert AuditEvent.objects.filter(action="goal.status").count() == 1


def test_members_propose_and_moderators_set(team: Team) -> None:
    assert create_goal(by_person(team.member), title="Mine").status == "proposed"
    assert create_goal(by_person(team.moderator), title="Ours", authority="execute").status == "active"
    with pytest.raises(Forbidden):
        create_goal(by_person(team.member), title="Mine", authority="execute")
    assert create_goal(by_person(software(team)), title="Its").status == "proposed"


def test_only_moderators_let_agents_go_further(team: Team) -> None:
    goal = create_goal(by_person(team.member), title="Mine")
    edit_goal(team.member, goal.pk, title="Still mine")
    with pytest.raises(Forbidden):
        edit_goal(team.member, goal.pk, authority="execute")
    edit_goal(team.moderator, goal.pk, authority="execute")
    assert edit_goal(team.member, goal.pk, authority="propose").authority == "propose"
    with pytest.raises(Forbidden):
        edit_goal(team.other_member, goal.pk, title="Not yours")


@pytest.mark.parametrize("before", list(GoalStatus))
@pytest.mark.parametrize("after", list(GoalStatus))
def test_a_goal_goes_where_the_table_says(team: Team, before: GoalStatus, after: GoalStatus) -> None:
    goal = create_goal(by_person(team.moderator), title="x")
    Goal.objects.filter(pk=goal.pk).update(status=before)
    if before == after or after in STATUSES[before]:
        moved = set_goal_status(team.moderator, goal.pk, after)
        assert moved.status == after
        assert before == after or (moved.closed_at is not None) == (after in ("completed", "abandoned"))
    else:
        with pytest.raises(Conflict):
            set_goal_status(team.moderator, goal.pk, after)


def test_goals_serve_each_other_without_circles(team: Team) -> None:
    top, middle, low = (create_goal(by_person(team.moderator), title=name).pk for name in "abc")
    edit_goal(team.moderator, middle, parent_id=top)
    edit_goal(team.moderator, low, parent_id=middle)
    for parent in (low, middle, top):
        with pytest.raises(Cycle):
            edit_goal(team.moderator, top, parent_id=parent)


def test_a_stale_change_is_refused(team: Team) -> None:
    goal = create_goal(by_person(team.moderator), title="x")
    edit_goal(team.moderator, goal.pk, title="y", expected_revision=1)
    with pytest.raises(Stale):
        edit_goal(team.moderator, goal.pk, title="z", expected_revision=1)


def test_progress_counts_the_tasks_one_may_see(team: Team) -> None:
    goal = create_goal(by_person(team.moderator), title="x")
    tasks = [person_task(team.member, goal_id=goal.pk) for _ in range(3)]
    move_task(by_person(team.member), tasks[0].number, "done")
    answer = as_token(team.owner).get(f"/goals/{goal.pk}").json()
    assert (answer["tasks_done"], answer["tasks_total"]) == (1, 3)


def test_an_agent_keeps_notes_on_open_goals_only(team: Team) -> None:
    goal = create_goal(by_person(team.moderator), title="x")
    assert note_goal(agent_of(team), goal.pk, "half way").notes == "half way"
    set_goal_status(team.moderator, goal.pk, "completed")
    with pytest.raises(Conflict):
        note_goal(agent_of(team), goal.pk, "more")
    with pytest.raises(InvalidInput):
        person_task(team.member, goal_id=goal.pk)


def test_goals_of_others_are_not_found(team: Team, rivals: Team) -> None:
    goal = create_goal(by_person(team.moderator), title="x")
    for act in (
        lambda: queries.get_goal(rivals.owner, goal.pk),
        lambda: edit_goal(rivals.owner, goal.pk, title="y"),
        lambda: set_goal_status(rivals.owner, goal.pk, "paused"),
        lambda: note_goal(agent_of(rivals), goal.pk, "y"),
    ):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(InvalidInput):
        person_task(rivals.owner, goal_id=goal.pk)
