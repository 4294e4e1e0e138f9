"""Proposed tasks, goals and schedules: each waits as one approval, and every door decides by it."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import AccountsError, Conflict, Forbidden, NotFound
from accounts.models import AuditEvent, Role
from messaging.models import Conversation
from messaging.services.conversations import add_participant
from realtime.services import unit_of_work
from tasks.authors import by_person
from tasks.models import Approval, ApprovalState, Goal, Schedule, Task, TaskState
from tasks.queries import approvals as queries
from tasks.services import goals
from tasks.services.approvals import asking, rules
from tasks.services.approvals.deciding import decide, decide_many
from tasks.services.approvals.expiry import expire_due
from tasks.services.board import create_task, edit_task
from tasks.services.goal_changes import propose_change
from tasks.services.moves import approve_task, move_task, reject_task, unarchive_task
from tasks.services.proposals.following import heal
from tasks.services.schedules import acts, editing
from tasks.services.schedules.fields import When
from tests.api.conftest import as_token
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task, software

_keys = itertools.count()


def propose(team: Team, chat: Conversation) -> Schedule:
    when = When(phrase="every hour")
    with unit_of_work():
        return editing.propose_schedule(
            chat, team.member.user, prompt="Look.", when=when, run_id=1, key=f"k{next(_keys)}"
        )


def open_one(**about: Any) -> Approval:
    return Approval.objects.get(state="open", **about)


def proposed(team: Team, **values: Any) -> Task:
    return create_task(agent_of(team), title="Tidy up", **values)


def test_what_an_agent_proposes_waits_in_the_inbox_with_its_exact_words(team: Team) -> None:
    task = proposed(team, description="All of it")
    approval = open_one(task=task)
    assert (approval.kind, approval.requester_user, approval.agent_id) == (
        "task",
        team.member.user,
        team.agent.pk,
    )
    assert approval.action["title"] == "Tidy up"
    assert "All of it" in approval.preview[0]["text"]
    assert approval in queries.decidable(team.moderator)
    assert approval in queries.decidable(team.member)
    assert approval not in queries.decidable(team.other_member)
    assert queries.count_decidable(team.moderator) == 1


def test_what_people_write_themselves_waits_for_nobody(team: Team) -> None:
    person_task(team.member)
    goals.create_goal(by_person(team.moderator), title="Ours")
    assert not Approval.objects.exists()


def test_the_inbox_puts_a_task_on_the_board_where_the_decider_wants_it(team: Team) -> None:
    ready, later = proposed(team), proposed(team)
    decide(team.moderator, open_one(task=ready).pk, "approve", comment="Go")
    decide(team.member, open_one(task=later).pk, "approve", choice="backlog")
    ready.refresh_from_db()
    later.refresh_from_db()
    assert (ready.state, ready.decided_by, ready.decision_note) == ("ready", team.moderator.user, "Go")
    assert (later.state, later.decided_by) == ("backlog", team.member.user)
    assert set(Approval.objects.values_list("state", flat=True)) == {ApprovalState.EXECUTED}


def test_the_board_settles_the_same_approval(team: Team) -> None:
    first, second, third = proposed(team), proposed(team), proposed(team)
    approve_task(team.moderator, first.number, expected_revision=1)
    move_task(by_person(team.moderator), second.number, "backlog")
    reject_task(team.member, third.number, note="No")
    states = [Approval.objects.get(task=each).state for each in (first, second, third)]
    assert states == ["executed", "executed", "rejected"]
    third.refresh_from_db()
    assert (third.decision, third.decision_note, third.state) == ("rejected", "No", "pending_approval")
    assert third.archived_at
    assert not queries.decidable(team.moderator).exists()


def test_a_change_asks_anew_and_shows_what_changed(team: Team) -> None:
    task = proposed(team, description="one\ntwo")
    before = open_one(task=task)
    edit_task(agent_of(team), task.number, description="one\nthree")
    before.refresh_from_db()
    after = open_one(task=task)
    assert (before.state, after.digest == before.digest) == ("withdrawn", False)
    assert after.preview[0]["form"] == "diff"
    assert "+three" in after.preview[0]["text"]
    with pytest.raises(Conflict):
        decide(team.moderator, before.pk, "approve", digest=before.digest)
    with pytest.raises(Conflict):
        decide(team.moderator, after.pk, "approve", digest=before.digest)
    task.refresh_from_db()
    assert task.state == TaskState.PENDING_APPROVAL


def test_what_does_not_bind_leaves_the_approval_alone(team: Team) -> None:
    task = proposed(team)
    edit_task(agent_of(team), task.number, priority="high", metadata={"x": 1})
    assert Approval.objects.count() == 1


def test_one_yes_of_two_does_not_count_for_other_words(team: Team) -> None:
    rules.save_rule(team.owner, kind="task", needed=2)
    task = proposed(team)
    approve_task(team.moderator, task.number)
    edit_task(agent_of(team), task.number, title="Something else")
    assert approve_task(team.admin, task.number).state == TaskState.PENDING_APPROVAL
    assert approve_task(team.owner, task.number).state == TaskState.READY


def test_under_four_eyes_nobody_approves_their_own_agents_request_at_any_door(
    team: Team, chat: Conversation
) -> None:
    rules.save_rule(team.owner, kind="task", minimum_role="member", four_eyes=True)
    rules.save_rule(team.owner, kind="schedule", four_eyes=True)
    task, schedule = proposed(team), propose(team, chat)
    for act in (
        lambda: approve_task(team.member, task.number),
        lambda: move_task(by_person(team.member), task.number, "ready"),
        lambda: decide(team.member, open_one(task=task).pk, "approve"),
        lambda: acts.confirm(team.member, schedule.pk),
        lambda: decide(team.member, open_one(schedule=schedule).pk, "approve"),
    ):
        with pytest.raises(Forbidden):
            act()
    assert approve_task(team.other_member, task.number).state == TaskState.READY
    decide(team.admin, open_one(schedule=schedule).pk, "approve")
    schedule.refresh_from_db()
    assert (schedule.state, schedule.owner) == ("active", team.member.user)


def test_a_rule_of_a_role_holds_on_the_board_too(team: Team) -> None:
    rules.save_rule(team.owner, kind="task", minimum_role="admin")
    task = proposed(team)
    for actor in (team.member, team.moderator):
        with pytest.raises(Forbidden):
            approve_task(actor, task.number)
    assert approve_task(team.admin, task.number).state == TaskState.READY


def test_software_and_tokens_without_the_scope_decide_at_no_door(team: Team) -> None:
    task = proposed(team)
    approval = open_one(task=task)
    bot = software(team)
    Approval.objects.update(requester_user=bot.user)
    with pytest.raises(Forbidden):
        decide(bot, approval.pk, "approve")
    assert not queries.decidable(bot).exists()
    token = as_token(team.moderator, "approvals:read", "approvals:write")
    body = {"verdict": "approve"}
    assert token.post(f"/approvals/{approval.pk}/decide", body).status_code == 403
    assert token.get(f"/approvals/{approval.pk}").json()["may_decide"] is False


def test_a_private_proposal_is_decided_by_those_who_see_it(team: Team, private: Conversation) -> None:
    task = create_task(agent_of(team, private), title="Secret")
    approval = open_one(task=task)
    for stranger in (team.owner, team.moderator, team.other_member):
        with pytest.raises(NotFound):
            queries.get_approval(stranger, approval.pk)
        with pytest.raises(AccountsError):
            decide(stranger, approval.pk, "approve")
    decide(team.member, approval.pk, "approve")
    task.refresh_from_db()
    assert task.state == TaskState.READY


def test_others_organizations_find_none_of_it(team: Team, rivals: Team) -> None:
    approval = open_one(task=proposed(team))
    with pytest.raises(NotFound):
        decide(rivals.owner, approval.pk, "approve")
    assert not queries.decidable(rivals.owner).exists()


def test_an_expired_or_withdrawn_proposal_leaves_the_board_and_waits_anew_when_put_back(team: Team) -> None:
    task, other = proposed(team), proposed(team)
    Approval.objects.filter(task=task).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict):
        approve_task(team.moderator, task.number)
    expire_due()
    asking.withdraw(team.member, open_one(task=other).pk)
    for each in (task, other):
        each.refresh_from_db()
        assert (each.state, each.decision) == (TaskState.PENDING_APPROVAL, "")
        assert each.archived_at
    unarchive_task(team.moderator, task.number)
    approve_task(team.moderator, task.number)
    task.refresh_from_db()
    assert task.state == TaskState.READY


def test_when_whoever_asked_has_left_it_does_not_run_and_asks_again(team: Team) -> None:
    task = proposed(team)
    team.organization.memberships.filter(user=team.member.user).delete()
    with pytest.raises(Conflict, match="no longer a member"):
        approve_task(team.moderator, task.number)
    assert list(Approval.objects.order_by("id").values_list("state", flat=True)) == ["failed", "open"]
    task.refresh_from_db()
    assert task.state == TaskState.PENDING_APPROVAL
    edit_task(by_person(team.moderator), task.number, title="Mine now")
    assert approve_task(team.moderator, task.number).state == TaskState.READY


def test_a_goal_is_activated_from_the_inbox_and_settled_from_its_page(team: Team) -> None:
    first, second, third = (goals.create_goal(agent_of(team), title=title) for title in "abc")
    decide(team.moderator, open_one(goal=first).pk, "approve")
    goals.set_goal_status(team.moderator, second.pk, "active")
    decide(team.moderator, open_one(goal=third).pk, "reject", comment="Not now")
    for goal, status in ((first, "active"), (second, "active"), (third, "abandoned")):
        goal.refresh_from_db()
        assert goal.status == status
    assert not Approval.objects.filter(state="open").exists()


def test_whoever_proposed_a_goal_takes_it_back_and_does_not_activate_it(team: Team) -> None:
    goal = goals.create_goal(by_person(team.member), title="Mine")
    with pytest.raises(Forbidden):
        decide(team.member, open_one(goal=goal).pk, "approve")
    assert goals.set_goal_status(team.member, goal.pk, "abandoned").status == "abandoned"
    assert Approval.objects.get(goal=goal).state == "withdrawn"


def test_a_schedule_is_decided_in_the_inbox_on_its_page_and_by_discarding(
    team: Team, chat: Conversation
) -> None:
    first, second, third = (propose(team, chat) for _ in range(3))
    decide(team.member, open_one(schedule=first).pk, "approve")
    acts.confirm(team.member, second.pk)
    editing.delete_schedule(team.member, third.pk)
    for schedule, state in ((first, "active"), (second, "active"), (third, "finished")):
        schedule.refresh_from_db()
        assert (schedule.state, schedule.next_due_at is not None) == (state, state == "active")
    assert Approval.objects.get(schedule=third).state == "rejected"


def test_rejecting_in_the_inbox_removes_a_schedule(team: Team, chat: Conversation) -> None:
    schedule = propose(team, chat)
    decide(team.member, open_one(schedule=schedule).pk, "reject")
    schedule.refresh_from_db()
    assert schedule.deleted_at


def test_a_schedule_that_was_rewritten_is_asked_about_anew(team: Team, chat: Conversation) -> None:
    schedule = propose(team, chat)
    before = open_one(schedule=schedule)
    add_participant(team.member, chat.pk, user_id=team.moderator.user.pk)
    editing.update_schedule(team.moderator, schedule.pk, prompt="Delete everything")
    with pytest.raises(Conflict):
        decide(team.member, before.pk, "approve")
    after = open_one(schedule=schedule)
    assert after.requester_user == team.moderator.user
    assert "+Delete everything" in after.preview[0]["text"]


def test_alike_ones_are_decided_at_once(team: Team, chat: Conversation) -> None:
    add_participant(team.member, chat.pk, user_id=team.moderator.user.pk)
    proposed(team)
    goals.create_goal(agent_of(team), title="Goal")
    propose(team, chat)
    ids = list(queries.decidable(team.moderator).values_list("pk", flat=True))
    assert len(ids) == 3
    assert {each.state for each in decide_many(team.moderator, ids, "approve")} == {"executed"}
    assert Task.objects.get().state == TaskState.READY
    assert Goal.objects.get().status == "active"
    assert Schedule.objects.get().state == "active"


def test_what_waited_before_is_asked_about_by_the_sweep_once(team: Team, chat: Conversation) -> None:
    proposed(team), goals.create_goal(agent_of(team), title="Goal"), propose(team, chat)
    Approval.objects.all().delete()
    assert (heal(), heal()) == (3, 0)
    assert queries.count_decidable(Actor(team.member.user, team.organization, Role.MEMBER)) == 2


def change(team: Team, goal: Goal, key: str = "1", **values: Any) -> Approval:
    return propose_change(agent_of(team), goal.pk, why="It is reached.", key=key, **values)


def test_an_agent_asks_for_a_change_of_a_goal_and_a_moderator_makes_it(team: Team) -> None:
    goal = goals.create_goal(by_person(team.moderator), title="Ours")
    approval = change(team, goal, status="completed", due_on="2027-03-31", authority="execute")
    assert change(team, goal, status="completed", due_on="2027-03-31", authority="execute") == approval
    goal.refresh_from_db()
    assert (goal.status, goal.authority) == ("active", "propose")
    with pytest.raises(Forbidden):
        decide(team.member, approval.pk, "approve")
    decide(team.moderator, approval.pk, "approve", digest=approval.digest)
    goal.refresh_from_db()
    assert (goal.status, goal.authority, str(goal.due_on)) == ("completed", "execute", "2027-03-31")
    assert AuditEvent.objects.filter(action="goal.status", target=f"goal:{goal.pk}").exists()


def test_a_change_that_starts_from_what_is_no_longer_so_is_closed(team: Team) -> None:
    goal = goals.create_goal(by_person(team.moderator), title="Ours")
    stale, other = change(team, goal, title="Theirs"), change(team, goal, key="2", priority="high")
    goals.edit_goal(team.moderator, goal.pk, title="Mine")
    stale.refresh_from_db()
    assert stale.state == "withdrawn"
    Goal.objects.filter(pk=goal.pk).update(priority=1)
    decide(team.moderator, other.pk, "approve")
    other.refresh_from_db()
    assert (other.state, other.reason) == ("failed", "the goal was changed since it was shown")
    goal.refresh_from_db()
    assert (goal.title, goal.priority) == ("Mine", 1)


def test_what_changes_nothing_or_cannot_be_is_not_asked(team: Team, rivals: Team) -> None:
    goal = goals.create_goal(by_person(team.moderator), title="Ours")
    waiting = goals.create_goal(agent_of(team), title="Waits")
    for subject, values in (
        (goal, {"title": "Ours"}), (goal, {"owner_id": 1}), (goal, {"status": "proposed"}),
        (goal, {"status": "nonsense"}), (waiting, {"title": "Other"}),
    ):  # fmt: skip
        with pytest.raises(AccountsError):
            change(team, subject, **values)
    with pytest.raises(NotFound):
        change(rivals, goal, title="Theirs")
    assert not Approval.objects.filter(kind="goal_change").exists()
