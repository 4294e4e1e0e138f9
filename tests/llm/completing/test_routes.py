"""`complete`: which model is asked, and which steps in."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from llm.errors import AuthenticationFailed, ContextTooLong, RequestRefused
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import Fault
from llm.fakes.rows import use_fake
from llm.models import LedgerEntry, Process
from llm.services import cooldowns
from llm.services.providers import set_route, update_provider
from tests.llm.completing.asking import GOOD, outcomes, play, run


@pytest.mark.parametrize(
    ("reply", "tries"),
    [
        (FakeReply(fault=Fault.RATE_LIMIT), 1),
        (FakeReply(fault=Fault.SERVER_ERROR), 3),
        (FakeReply(fault=Fault.BAD_KEY), 1),
        (FakeReply(fault=Fault.NO_CREDIT), 1),
        (FakeReply(fault=Fault.NO_SUCH_MODEL), 1),
        (FakeReply(), 3),
    ],
)
def test_the_next_model_steps_in(
    team: Any, fake: FakeProvider, second: FakeProvider, reply: FakeReply, tries: int
) -> None:
    use_fake(team.organization, fake, name="First")
    use_fake(team.organization, second, name="Second", kind="anthropic", model="fake-2")
    play(fake, reply)
    done = run(team)
    assert (done.provider_name, done.entry_name, done.attempts) == ("Second", "fake-2", tries + 1)
    assert len(fake.requests) == tries
    rows = LedgerEntry.objects.order_by("pk")
    assert [row.provider_name for row in rows] == ["First"] * tries + ["Second"]


@pytest.mark.parametrize("fault", [Fault.BAD_REQUEST, Fault.TOO_LONG])
def test_a_wrong_request_is_not_sent_to_the_next_model(
    team: Any, fake: FakeProvider, second: FakeProvider, fault: Fault
) -> None:
    use_fake(team.organization, fake, name="First")
    use_fake(team.organization, second, name="Second")
    play(fake, FakeReply(fault=fault))
    with pytest.raises((RequestRefused, ContextTooLong)):
        run(team)
    assert second.requests == []


def test_a_limited_model_is_spared_until_its_pause_is_over(
    team: Any, fake: FakeProvider, second: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_fake(team.organization, fake, name="First")
    use_fake(team.organization, second, name="Second")
    play(fake, FakeReply(fault=Fault.RATE_LIMIT, retry_after="300"), GOOD)
    began = time.time()
    assert [run(team).provider_name for _ in range(3)] == ["Second"] * 3
    limited = time.time()
    for moment, name in ((began + 299, "Second"), (limited + 301, "First")):
        monkeypatch.setattr(cooldowns, "time", SimpleNamespace(time=lambda moment=moment: moment))
        assert run(team).provider_name == name
    assert len(fake.requests) == 2


def test_the_override_comes_first_and_the_route_after_it(
    team: Any, fake: FakeProvider, second: FakeProvider
) -> None:
    use_fake(team.organization, fake, name="First")
    entry = use_fake(team.organization, second, name="Second")
    assert run(team, model_override=entry.pk).provider_name == "Second"
    play(second, FakeReply(fault=Fault.BAD_KEY))
    assert run(team, model_override=entry.pk).provider_name == "First"


def test_another_organizations_model_cannot_be_the_override(
    team: Any, rivals: Any, fake: FakeProvider, second: FakeProvider
) -> None:
    use_fake(team.organization, fake, name="First")
    foreign = use_fake(rivals.organization, second, name="Theirs")
    assert run(team, model_override=foreign.pk).provider_name == "First"
    assert second.requests == []


def test_a_process_without_routes_uses_the_channels(
    team: Any, fake: FakeProvider, second: FakeProvider
) -> None:
    use_fake(team.organization, fake, name="First")
    entry = use_fake(team.organization, second, name="Second")
    set_route(team.admin, Process.WORKER, [])
    set_route(team.admin, Process.CHANNEL, [entry.pk])
    assert run(team, process=Process.WORKER).provider_name == "Second"
    assert run(team, process=Process.BRANCH).provider_name == "First"


def test_a_changed_provider_is_used_by_the_very_next_call(
    team: Any, fake: FakeProvider, second: FakeProvider
) -> None:
    entry = use_fake(team.organization, fake)
    run(team)
    update_provider(
        team.owner, entry.provider_id, base_url=second.base_url("openai"), api_key="sk-other-1234567890"
    )
    assert run(team).response.message.text == "From the second."
    assert second.requests[0].headers["authorization"] == "Bearer sk-other-1234567890"


def test_a_disabled_provider_is_not_asked(team: Any, fake: FakeProvider) -> None:
    entry = use_fake(team.organization, fake)
    update_provider(team.owner, entry.provider_id, enabled=False)
    assert run(team).provider_name == "offline"


def test_a_key_that_cannot_be_read_is_an_error_without_a_request(team: Any, fake: FakeProvider) -> None:
    entry = use_fake(team.organization, fake)
    team.organization.secrets.filter(name=entry.provider.secret_name).delete()
    with pytest.raises(AuthenticationFailed, match="cannot be read"):
        run(team)
    assert (fake.requests, outcomes(team)) == ([], [])
