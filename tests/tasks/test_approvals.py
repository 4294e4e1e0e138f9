"""Approvals of a kind that is done in the transaction of the last verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from realtime.models import Event
from tasks.models import Approval, ApprovalState
from tasks.queries import approvals as queries
from tasks.services.approvals import asking
from tasks.services.approvals.deciding import decide, decide_many
from tasks.services.approvals.expiry import expire_due
from tasks.services.approvals.rules import rule_for, save_rule
from tests.factories import Team
from tests.tasks.counting import Counted, ask_for


def test_an_approval_does_it_once_and_keeps_what_was_done(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    for _ in range(2):
        decided = decide(team.moderator, asked.pk, "approve", comment="yes")
    assert counted.done == [asked.pk]
    assert (decided.state, decided.result) == (ApprovalState.EXECUTED, "counted")
    assert AuditEvent.objects.filter(action="approval.approve", target=f"approval:{asked.pk}").count() == 1


def test_asking_twice_asks_once(team: Team, counted: Counted) -> None:
    assert ask_for(team).pk == ask_for(team).pk
    assert Event.objects.filter(kind="approval.changed").count() == 1


def test_a_member_may_not_decide_and_another_organization_finds_nothing(
    team: Team, rivals: Team, counted: Counted
) -> None:
    asked = ask_for(team)
    with pytest.raises(Forbidden):
        decide(team.member, asked.pk, "approve")
    with pytest.raises(NotFound):
        decide(team.other_member, asked.pk, "approve")
    with pytest.raises(NotFound):
        decide(rivals.owner, asked.pk, "approve")
    assert counted.done == []


def test_a_second_verdict_comes_too_late(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    decide(team.moderator, asked.pk, "reject", comment="no")
    with pytest.raises(Conflict):
        decide(team.admin, asked.pk, "approve")
    assert counted.done == []
    assert "no" in Approval.objects.get().reason


def test_two_people_are_needed_where_the_rule_says_so(team: Team, counted: Counted) -> None:
    save_rule(team.admin, needed=2)
    asked = ask_for(team)
    decide(team.moderator, asked.pk, "approve")
    assert counted.done == []
    assert queries.count_decidable(team.moderator) == 0
    assert queries.count_decidable(team.admin) == 1
    decide(team.admin, asked.pk, "approve")
    assert counted.done == [asked.pk]


def test_under_four_eyes_nobody_approves_what_they_asked_for(team: Team, counted: Counted) -> None:
    save_rule(team.admin, four_eyes=True)
    asked = ask_for(team, by=team.owner)
    assert queries.count_decidable(team.owner) == 0
    with pytest.raises(Forbidden):
        decide(team.owner, asked.pk, "approve")
    decide(team.moderator, asked.pk, "approve")
    assert counted.done == [asked.pk]


def test_a_rule_that_was_loosened_lets_nothing_through_that_was_asked_before(
    team: Team, counted: Counted
) -> None:
    save_rule(team.admin, minimum_role="owner")
    asked = ask_for(team)
    save_rule(team.admin, minimum_role="member")
    with pytest.raises(NotFound):
        decide(team.moderator, asked.pk, "approve")
    decide(team.owner, asked.pk, "approve")
    assert counted.done == [asked.pk]


def test_the_closest_rule_counts(team: Team) -> None:
    save_rule(team.admin, minimum_role="admin")
    save_rule(team.admin, kind="tool_call", minimum_role="owner")
    save_rule(team.admin, kind="tool_call", subject="write_file", minimum_role="member")
    save_rule(team.admin, kind="tool_call", subject="write_file", agent_id=7, minimum_role="moderator")

    def role(agent_id: int | None, kind: str, subject: str) -> str:
        return rule_for(team.organization.pk, agent_id=agent_id, kind=kind, subject=subject).minimum_role

    assert role(None, "task", "") == "admin"
    assert role(None, "tool_call", "read_file") == "owner"
    assert role(8, "tool_call", "write_file") == "member"
    assert role(7, "tool_call", "write_file") == "moderator"


def test_only_admins_set_rules(team: Team) -> None:
    with pytest.raises(Forbidden):
        save_rule(team.moderator, minimum_role="member")
    with pytest.raises(InvalidInput):
        save_rule(team.admin, minimum_role="agent")


def test_an_action_that_changed_is_not_done(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    counted.changed = True
    decided = decide(team.moderator, asked.pk, "approve")
    assert (decided.state, decided.reason) == (ApprovalState.FAILED, "it is another one now")
    assert counted.done == []


def test_what_breaks_is_undone_and_told_and_the_verdict_stays(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    counted.breaks = True
    decided = decide(team.moderator, asked.pk, "approve")
    assert decided.state == ApprovalState.FAILED
    assert decided.used_at is None
    assert decided.decisions.get().verdict == "approve"
    assert counted.told[-1] == (asked.pk, "failed")


def test_a_question_that_expired_is_closed_once(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (expire_due(), expire_due()) == (1, 0)
    with pytest.raises(Conflict):
        decide(team.moderator, asked.pk, "approve")
    assert counted.done == []


def test_asking_back_keeps_it_open_and_needs_words(team: Team, counted: Counted) -> None:
    asked = ask_for(team)
    with pytest.raises(InvalidInput):
        decide(team.moderator, asked.pk, "ask_back")
    assert decide(team.moderator, asked.pk, "ask_back", comment="Why?").state == ApprovalState.ASKED_BACK
    decide(team.moderator, asked.pk, "approve")
    assert counted.done == [asked.pk]


def test_who_asked_may_take_it_back_and_others_may_not(team: Team, counted: Counted) -> None:
    save_rule(team.admin, minimum_role="member")
    asked = ask_for(team)
    assert asking.withdraw(team.member, asked.pk).state == ApprovalState.WITHDRAWN
    assert asking.withdraw(team.member, asked.pk).state == ApprovalState.WITHDRAWN
    with pytest.raises(Conflict):
        decide(team.moderator, asked.pk, "approve")


def test_several_at_once_stand_or_fall_alone(team: Team, rivals: Team, counted: Counted) -> None:
    ours = [ask_for(team, origin_key=str(number)).pk for number in range(3)]
    theirs = ask_for(rivals).pk
    outcomes = decide_many(team.moderator, [*ours, theirs], "approve")
    assert [outcome.state for outcome in outcomes] == ["executed"] * 3 + [""]
    assert counted.done == ours


def test_a_kind_that_nobody_registered_does_nothing(team: Team) -> None:
    asked = ask_for(team, kind="unheard_of")
    assert decide(team.moderator, asked.pk, "approve").state == ApprovalState.FAILED
