"""A team with a conversation; the clock is passed in, never waited for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from realtime.services import unit_of_work
from tasks.models import Execution, Firing, Schedule
from tasks.schedules.timing import timing_of
from tasks.services.schedules import results
from tasks.services.schedules.editing import create_schedule
from tasks.services.schedules.fields import When
from tests.factories import Team

NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)


@pytest.fixture
def chat(team: Team) -> Conversation:
    return start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="Plans", user_ids=[team.moderator.user.pk]
    )


def make(team: Team, chat: Conversation, phrase: str = "every minute", **options: Any) -> Schedule:
    now = options.pop("now", NOW)
    when = options.pop("when", None) or When(phrase=phrase, time_zone=options.pop("time_zone", "UTC"))
    return create_schedule(
        team.member, conversation_id=chat.pk, prompt="Look.", when=when, now=now, **options
    )


def finish(firing: Firing, execution: Execution = Execution.SUCCEEDED, text: str = "ok") -> None:
    with unit_of_work():
        assert firing.run_id is not None
        results.end(firing.pk, results.Result(execution, "Spacebot", firing.run_id, text=text))


def lines(schedule: Schedule) -> list[Firing]:
    return list(Firing.objects.filter(schedule=schedule).order_by("due_at", "pk"))


def expand(schedule: Schedule) -> list[tuple[datetime, str]]:
    """Return every instant that the ledger accounts for, with what became of it, runs by hand left out."""
    found: list[tuple[datetime, str]] = []
    for line in lines(schedule):
        if line.trigger == "manual":
            continue
        instants = [line.due_at]
        if line.until_at is not None:
            instants += between(schedule, line.due_at, line.until_at)
        assert len(instants) == line.count
        found += [(instant, line.reason or line.decision) for instant in instants]
    return found


def between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    for instant in timing_of(schedule).instants_after(after):
        if instant > until:
            return
        yield instant


def check_ledger(schedule: Schedule, since: datetime) -> None:
    """Every instant since then and up to what is due next is in the ledger once, in order."""
    schedule.refresh_from_db()
    instants = [instant for instant, _ in expand(schedule)]
    until = schedule.next_due_at - timedelta(microseconds=1) if schedule.next_due_at else max(instants)
    assert instants == list(between(schedule, since, until))
