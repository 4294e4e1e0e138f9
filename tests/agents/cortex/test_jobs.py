from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import Forbidden, NotFound
from accounts.models import AuditEvent
from agents.cortex import claims, log, runner, services
from agents.cortex.claims import Claimed, Due
from agents.cortex.jobs import Job, Result, Work
from agents.models import Agent, CortexJob, CortexLog
from llm.models import LedgerEntry
from realtime.models import Event
from tests.factories import Team

LEASE = timedelta(minutes=1)


class Broken(Exception):
    pass


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """Let there be one job, `probe`, that writes down its passes and does what `script` says."""
    seen: list[Work] = []

    def run(work: Work) -> Result:
        seen.append(work)
        step = SCRIPT.pop(0) if SCRIPT else Result()
        if isinstance(step, Exception):
            raise step
        return step

    SCRIPT.clear()
    job = Job(name="probe", label="Probe", does="", every=timedelta(minutes=5), lease=LEASE, run=run)
    for name in [*runner.JOBS]:
        monkeypatch.delitem(runner.JOBS, name)
    monkeypatch.setitem(runner.JOBS, "probe", job)
    return seen


SCRIPT: list[Result | Exception] = []


def due(team: Team) -> Due:
    return Due(team.organization.pk, team.agent.pk, "probe")


def take(team: Team) -> Claimed:
    claimed = claims.claim(due(team), lease=LEASE)
    assert claimed is not None
    return claimed


def row(team: Team) -> CortexJob:
    return CortexJob.objects.get(agent=team.agent, name="probe")


def let_pass(team: Team, **fields: Any) -> None:
    CortexJob.objects.filter(agent=team.agent).update(due_at=timezone.now() - timedelta(seconds=1), **fields)


def events(team: Team) -> list[str]:
    return list(CortexLog.objects.filter(agent=team.agent).order_by("pk").values_list("event", flat=True))


def test_a_new_agent_is_looked_after_without_anyone_setting_it_up(team: Team, passes: list[Work]) -> None:
    assert runner.run_due() == 1
    assert passes[0].agent == team.agent
    assert row(team).organization == team.organization
    assert row(team).due_at > timezone.now() + timedelta(minutes=4)


def test_nothing_due_costs_one_statement_and_no_line(team: Team, passes: list[Work]) -> None:
    runner.run_due()
    with CaptureQueriesContext(connection) as captured:
        assert runner.run_due() == 0
    assert len(captured) == 1
    assert events(team) == []


def test_an_agent_that_is_off_is_left_alone(team: Team, passes: list[Work]) -> None:
    Agent.objects.update(enabled=False)
    assert runner.run_due() == 0


def test_of_two_runners_one_gets_the_job(team: Team) -> None:
    first = take(team)
    assert claims.claim(due(team), lease=LEASE) is None
    assert claims.list_due(["probe"], limit=10) == []
    assert claims.finish(first, pause=LEASE, failures=0, result={})
    assert claims.claim(due(team), lease=LEASE) is None, "it is not due again yet"


def test_a_pass_that_died_is_taken_over_and_what_it_writes_late_is_refused(team: Team) -> None:
    dead = take(team)
    CortexJob.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert [each.name for each in claims.list_due(["probe"], limit=10)] == ["probe"]
    second = take(team)
    assert second.fence > dead.fence
    assert second.lost_before
    assert second.failures == 1
    assert not claims.finish(dead, pause=LEASE, failures=0, result={"text": "late"}, cursor={"at": "late"})
    assert not claims.hold(dead.job_id, dead.fence)
    assert row(team).cursor == {}
    assert claims.finish(second, pause=LEASE, failures=0, result={}, cursor={"at": "right"})
    assert row(team).cursor == {"at": "right"}


def test_passes_that_keep_dying_are_told_to_people(team: Team, passes: list[Work]) -> None:
    for _ in range(4):
        let_pass(team, lease_owner="gone:1:1", lease_expires_at=timezone.now() - timedelta(seconds=1))
        claims.claim(due(team), lease=LEASE)
        CortexJob.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    failures = row(team).failures
    assert failures == 3
    runner.run_one(due(team))
    assert events(team) == ["lost", "recovered"]
    assert row(team).failures == 0


def test_a_failure_puts_the_next_pass_off_twice_as_long_each_time(team: Team, passes: list[Work]) -> None:
    SCRIPT.extend(Broken("said in private") for _ in range(3))
    pauses = []
    for _ in range(3):
        let_pass(team) if CortexJob.objects.exists() else None
        runner.run_due()
        pauses.append(round((row(team).due_at - timezone.now()).total_seconds() / 60))
    assert pauses == [1, 2, 4]
    assert claims.pause_after(30) == timedelta(hours=6)
    assert events(team) == ["failed"] * 3
    assert not CortexLog.objects.filter(text__contains="private").exists()
    told = Event.objects.filter(kind="cortex.alarm")
    assert [event.minimum_level for event in told] == [3]
    let_pass(team)
    runner.run_due()
    assert row(team).failures == 0
    assert events(team)[-1] == "recovered"


def test_a_pass_goes_on_where_the_one_before_it_stopped(team: Team, passes: list[Work]) -> None:
    SCRIPT.extend([Result("Did some.", cursor={"at": 3}, is_behind=True), Result(cursor={"at": 7})])
    runner.run_due()
    assert row(team).due_at < timezone.now() + timedelta(seconds=2)
    let_pass(team)
    runner.run_due()
    assert [work.cursor for work in passes] == [{}, {"at": 3}]
    assert row(team).cursor == {"at": 7}
    assert events(team) == ["done"]


def test_a_failed_pass_keeps_the_place_it_had(team: Team, passes: list[Work]) -> None:
    SCRIPT.extend([Result(cursor={"at": 3}), Broken()])
    runner.run_due()
    let_pass(team)
    runner.run_due()
    assert row(team).cursor == {"at": 3}


def test_a_day_without_a_change_asks_no_model_and_writes_no_line(team: Team, rivals: Team) -> None:
    for _ in range(24):
        CortexJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        runner.run_due()
    assert LedgerEntry.objects.count() == 0
    assert CortexLog.objects.count() == 0
    assert CortexJob.objects.filter(failures__gt=0).count() == 0
    assert CortexJob.objects.count() == 2 * len(runner.JOBS)


def test_the_log_is_kept_for_a_month(team: Team, rivals: Team) -> None:
    for each in (team, rivals):
        log.write(each.organization.pk, each.agent.pk, job="upkeep", event="done", text="old")
    log.write(team.organization.pk, team.agent.pk, job="upkeep", event="done", text="new")
    CortexLog.objects.filter(text="old").update(created_at=timezone.now() - timedelta(days=31))
    assert log.prune(team.agent.pk) == 1
    assert log.prune(team.agent.pk) == 0
    assert sorted(CortexLog.objects.values_list("text", flat=True)) == ["new", "old"]


def test_what_was_noticed_once_is_not_told_twice(team: Team, rivals: Team) -> None:
    line = {"job": "supervision", "event": "e", "text": "t", "alarm": True, "key": "run:1"}
    assert log.write(team.organization.pk, team.agent.pk, **line) is not None  # type: ignore[arg-type]
    assert log.write(team.organization.pk, team.agent.pk, **line) is None  # type: ignore[arg-type]
    assert log.write(rivals.organization.pk, rivals.agent.pk, **line) is not None  # type: ignore[arg-type]
    assert Event.objects.filter(kind="cortex.alarm").count() == 2


def test_an_administrator_has_a_job_run_now(team: Team, rivals: Team) -> None:
    services.run_job_now(team.admin, team.agent.pk, "upkeep")
    CortexJob.objects.update(due_at=timezone.now() + timedelta(hours=3))
    assert services.run_job_now(team.admin, team.agent.pk, "upkeep").due_at <= timezone.now()
    services.run_job_now(team.admin, team.agent.pk, "upkeep")
    assert AuditEvent.objects.filter(action="cortex.job_asked_for").count() == 1
    with pytest.raises(Forbidden):
        services.run_job_now(team.moderator, team.agent.pk, "upkeep")
    with pytest.raises(NotFound):
        services.run_job_now(rivals.owner, team.agent.pk, "upkeep")
    with pytest.raises(NotFound):
        services.run_job_now(team.admin, team.agent.pk, "nonsense")
