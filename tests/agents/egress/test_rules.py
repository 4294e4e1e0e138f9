from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.errors import Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent
from agents.egress.errors import Refused
from agents.egress.rules import policy_of, record_refusal
from agents.jobs import prune_refusals
from agents.models import Agent, EgressRefusal, Run
from agents.services import egress
from tests.factories import Team


def test_an_owners_list_holds_for_every_agent_without_one_of_its_own(team: Team) -> None:
    other = Agent.objects.create(organization=team.organization, slug="other", name="Other")
    egress.add_rule(team.owner, kind="allow", host="Docs.Example.ORG.")
    egress.add_rule(team.owner, kind="allow", host="*.example.net:9000", agent_id=other.pk)
    egress.add_rule(team.owner, kind="private", host="[::FFFF:10.0.0.9]:8080")
    mine = policy_of(team.organization.pk, team.agent.pk)
    assert mine.allowed == {("docs.example.org", 0)}
    assert policy_of(team.organization.pk, other.pk).allowed == {("*.example.net", 9000)}
    assert mine.private == {("10.0.0.9", 8080)}


def test_adding_twice_is_once_and_both_changes_are_audited(team: Team) -> None:
    first = egress.add_rule(team.owner, kind="private", host="wiki.lan:80")
    assert egress.add_rule(team.owner, kind="private", host="wiki.lan:80") == first
    egress.delete_rule(team.owner, first.pk)
    with pytest.raises(NotFound):
        egress.delete_rule(team.owner, first.pk)
    actions = AuditEvent.objects.filter(target="egress:wiki.lan:80").order_by("number")
    assert list(actions.values_list("action", flat=True)) == ["egress_rule.added", "egress_rule.deleted"]
    assert policy_of(team.organization.pk, team.agent.pk).private == frozenset()


def test_only_owners_of_the_organization_may(team: Team, rivals: Team) -> None:
    rule = egress.add_rule(team.owner, kind="allow", host="example.org")
    for actor in (team.admin, team.member):
        with pytest.raises(Forbidden):
            egress.add_rule(actor, kind="private", host="127.0.0.1:5432")
        with pytest.raises(Forbidden):
            egress.delete_rule(actor, rule.pk)
    with pytest.raises(NotFound):
        egress.delete_rule(rivals.owner, rule.pk)
    with pytest.raises(NotFound):
        egress.add_rule(rivals.owner, kind="allow", host="example.org", agent_id=team.agent.pk)
    assert policy_of(rivals.organization.pk, rivals.agent.pk).allowed == frozenset()


@pytest.mark.parametrize(
    ("kind", "host"),
    [("allow", ""), ("allow", "https://example.org"), ("allow", "a b"), ("allow", "*.127.0.0.1"), ("allow", "x:99999"),
     ("private", "wiki.lan"), ("private", "*.lan:80"), ("private", "169.254.169.254:80"), ("private", "0xa9fea9fe:80"),
     ("private", "metadata.google.internal:80"), ("private", "0.0.0.0:80"),
     ("private", "127.0.0.1:5432"), ("private", "db.lan:6379"), ("private", "224.0.0.1:80"), ("other", "x.org")],
)  # fmt: skip
def test_what_is_no_host_or_never_reached_cannot_be_a_rule(team: Team, kind: str, host: str) -> None:
    with pytest.raises(InvalidInput):
        egress.add_rule(team.owner, kind=kind, host=host)


def test_refusals_are_counted_per_run_and_bounded(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.egress.rules.MOST_REFUSALS", 3)
    run = Run.objects.create(
        organization=team.organization, agent=team.agent, kind="worker", due_at=timezone.now(), input={}
    )
    for number in range(6):
        record_refusal(run, Refused("private", host=f"10.0.0.{number}", port=80))
    record_refusal(run, Refused("private", host="10.0.0.1", port=80), times=4)
    rows = dict(EgressRefusal.objects.values_list("host", "count"))
    assert rows == {"10.0.0.0": 1, "10.0.0.1": 5, "10.0.0.2": 1}
    assert next(row.host for row in egress.list_refusals(team.admin)) == "10.0.0.1"


def test_refusals_are_kept_for_a_month(team: Team) -> None:
    run = Run.objects.create(
        organization=team.organization, agent=team.agent, kind="worker", due_at=timezone.now(), input={}
    )
    for days in (29, 31):
        record_refusal(run, Refused("private", host=f"{days}.example.org", port=80))
        EgressRefusal.objects.filter(host=f"{days}.example.org").update(
            last_at=timezone.now() - timedelta(days=days)
        )
    assert settings.CELERY_BEAT_SCHEDULE["prune refusals"]["task"] == prune_refusals.name
    prune_refusals()
    prune_refusals()
    assert [row.host for row in EgressRefusal.objects.all()] == ["29.example.org"]
