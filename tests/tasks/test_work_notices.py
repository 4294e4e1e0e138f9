"""Who is told of what waits, ends, fails or changes; in words they may read, and settled when it is over."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.actor import Actor
from messaging.models import Conversation
from messaging.services.conversations import add_participant
from realtime.models import Notice
from realtime.notices import queries
from tasks.authors import Author, by_person
from tasks.models import Approval, AuthorKind, Execution, Outcome, ScheduleState, Trigger
from tasks.services import goals
from tasks.services.approvals import deciding, rules
from tasks.services.approvals.asking import Asker, ask
from tasks.services.approvals.expiry import expire_due
from tasks.services.board import create_task, edit_task
from tasks.services.moves import approve_task, move_task, reject_task
from tasks.services.schedules import acts, results
from tasks.services.starting import begin, settle
from tasks.snapshots import Holder
from tests.factories import Team
from tests.tasks.conftest import agent_of, person_task
from tests.tasks.test_proposals import open_one, propose, proposed


def unread(actor: Actor) -> list[tuple[str, str]]:
    return [(row.kind, row.title) for row in queries.list_notices(actor, unread=True)[0]]


def everyone(team: Team) -> dict[str, list[tuple[str, str]]]:
    names = ("owner", "admin", "moderator", "member", "other_member")
    return {name: found for name in names if (found := unread(getattr(team, name)))}


def test_those_who_may_decide_are_told_until_it_is_decided(team: Team) -> None:
    task = proposed(team)
    told = everyone(team)
    assert set(told) == {"owner", "admin", "moderator", "member"}
    assert told["admin"] == [("approval", "Task waits for your decision: #1 Tidy up")]
    notice = Notice.objects.filter(user=team.admin.user).get()
    assert (notice.subject, notice.subject_id) == ("approval", open_one(task=task).pk)
    approve_task(team.admin, task.number)
    assert everyone(team) == {}


def test_a_change_tells_once_more_with_the_new_words_and_adds_no_row(team: Team) -> None:
    task = proposed(team)
    edit_task(agent_of(team), task.number, title="Something else")
    assert unread(team.admin) == [("approval", "Task waits for your decision: #1 Something else")]
    assert Notice.objects.filter(user=team.admin.user).count() == 1
    reject_task(team.admin, task.number)
    assert everyone(team) == {}


def test_of_what_is_private_only_those_who_see_it_are_told(team: Team, private: Conversation) -> None:
    create_task(agent_of(team, private), title="Secret")
    assert set(everyone(team)) == {"member"}
    Notice.objects.all().delete()
    goals.create_goal(agent_of(team, private), title="Secret goal")
    assert everyone(team) == {}


def test_who_decides_from_outside_reads_none_of_the_words(team: Team, chat: Conversation) -> None:
    asker = Asker(team.organization.pk, conversation_id=chat.pk, requester_user_id=team.member.user.pk)
    ask(asker, kind="tool_call", action={"x": 1}, origin_key="1", title="Write secret.txt")
    add_participant(team.member, chat.pk, user_id=team.admin.user.pk)
    ask(asker, kind="tool_call", action={"x": 2}, origin_key="2", title="Write again.txt")
    assert "secret" not in str(everyone(team)["owner"])
    assert ("approval", "Tool call waits for your decision: Write again.txt") in unread(team.admin)


def test_under_four_eyes_whoever_asked_is_not_told_and_others_are(team: Team, private: Conversation) -> None:
    rules.save_rule(team.owner, kind="task", four_eyes=True)
    create_task(agent_of(team, private), title="Secret")
    told = everyone(team)
    assert set(told) == {"owner", "admin", "moderator"}
    assert "Secret" not in str(told)


def test_a_question_goes_to_who_asked_and_the_answer_back(team: Team) -> None:
    approval = open_one(task=proposed(team))
    deciding.decide(team.admin, approval.pk, "ask_back", comment="Why?")
    assert everyone(team) == {"member": [("approval", "Task was asked back: #1 Tidy up")]}
    deciding.answer(team.member, approval.pk, "Because.")
    assert set(everyone(team)) == {"owner", "admin", "moderator", "member"}


def test_what_expires_needs_nobody_any_more(team: Team) -> None:
    proposed(team)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    expire_due()
    assert everyone(team) == {}


def finished(team: Team, outcome: Outcome, **values: object) -> None:
    agent = Holder("agent", team.agent.pk)
    task = person_task(team.member, "Dig", assignee=agent, state="ready", **values)
    begin(by_person(team.member), task, agent_id=team.agent.pk, start=lambda _: 77)
    settle(77, outcome, "said")


def test_a_task_that_ended_is_told_to_its_people_and_settled_when_taken_up(team: Team) -> None:
    finished(team, Outcome.FAILED, owner=Holder("person", team.admin.user.pk))
    said = [("failure", "Task #1 has failed")]
    assert everyone(team) == {"admin": said, "member": said}
    move_task(by_person(team.member), 1, "ready")
    assert everyone(team) == {}


def test_a_task_that_is_done_is_told_but_not_to_who_did_it(team: Team) -> None:
    finished(team, Outcome.SUCCEEDED)
    assert everyone(team) == {"member": [("done", "Task #1 is done")]}
    other = person_task(team.member, assignee=Holder("person", team.other_member.user.pk))
    Notice.objects.all().delete()
    move_task(by_person(team.other_member), other.number, "done")
    assert everyone(team) == {"member": [("done", "Task #2 is done")]}


def test_an_owner_hears_what_others_do_to_their_goal(team: Team) -> None:
    goal = goals.create_goal(by_person(team.member), title="Mine")
    Notice.objects.all().delete()
    goals.edit_goal(team.member, goal.pk, description="More")
    assert not unread(team.member)
    goals.set_goal_status(team.moderator, goal.pk, "active")
    goals.edit_goal(team.moderator, goal.pk, authority="execute")
    assert unread(team.member) == [("change", "Your goal was changed")]


def fail(schedule: object, number: int, execution: Execution = Execution.FAILED) -> None:
    from tasks.models import Firing

    firing = Firing.objects.create(
        organization_id=schedule.organization_id,  # type: ignore[attr-defined]
        schedule=schedule, due_at=timezone.now() + timedelta(seconds=number), trigger=Trigger.CLOCK,
        decision="fired", execution="queued", decided_at=timezone.now(),
    )  # fmt: skip
    results.end(firing.pk, results.Result(execution, speaker="Spacebot", run_id=1, failure="It broke."))


def test_a_schedules_owner_hears_of_the_first_failure_and_of_the_breaker(
    team: Team, chat: Conversation
) -> None:
    schedule = propose(team, chat)
    acts.confirm(team.member, schedule.pk)
    fail(schedule, 1)
    assert everyone(team) == {"member": [("failure", "“Look.” failed")]}
    fail(schedule, 2)
    fail(schedule, 3)
    schedule.refresh_from_db()
    assert schedule.state == ScheduleState.BROKEN
    assert everyone(team) == {"member": [("breaker", "“Look.” was stopped")]}
    acts.reset(team.member, schedule.pk)
    assert everyone(team) == {}


def test_a_success_settles_what_was_told_of_a_failure(team: Team, chat: Conversation) -> None:
    schedule = propose(team, chat)
    acts.confirm(team.member, schedule.pk)
    fail(schedule, 1)
    fail(schedule, 2, Execution.SUCCEEDED)
    assert everyone(team) == {}


def test_what_the_system_settles_twice_is_told_once(team: Team) -> None:
    finished(team, Outcome.FAILED)
    assert not settle(77, Outcome.FAILED, "again", kind=AuthorKind.SYSTEM)
    assert Notice.objects.get(user=team.member.user).count == 1
    assert Author(AuthorKind.SYSTEM, team.organization.pk).author_user_id is None
