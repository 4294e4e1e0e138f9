"""`complete`: retries, waits that are asked for, deadlines and cancellations."""

from __future__ import annotations

import time
from typing import Any

import pytest

from llm.errors import (
    AuthenticationFailed,
    BadResponse,
    Cancelled,
    ContextTooLong,
    LLMError,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
)
from llm.fakes import FakeProvider, FakeReply, FakeRequest
from llm.fakes.replies import Fault
from llm.fakes.rows import use_fake
from llm.models import LedgerEntry
from llm.services import routing
from llm.types import CancelToken, Restarted, StreamEvent, TextDelta
from tests.llm.completing.asking import GOOD, outcomes, play, run
from tests.llm.conftest import KEY

FAULTS: list[tuple[str, FakeReply, type[LLMError], str, int]] = [
    ("rate limit", FakeReply(fault=Fault.RATE_LIMIT), RateLimited, "rate_limited", 3),
    ("500", FakeReply(fault=Fault.SERVER_ERROR), ProviderUnavailable, "unavailable", 3),
    ("overloaded", FakeReply(fault=Fault.OVERLOADED), ProviderUnavailable, "unavailable", 3),
    ("cut", FakeReply(text="Hello there", fault=Fault.CUT), ProviderUnavailable, "unavailable", 3),
    (
        "cut clean",
        FakeReply(text="Hello there", fault=Fault.CUT_CLEAN),
        ProviderUnavailable,
        "unavailable",
        3,
    ),
    ("broken JSON", FakeReply(tool_calls=(("reply", '{"a'),)), BadResponse, "bad_response", 3),
    ("empty", FakeReply(), BadResponse, "bad_response", 3),
    ("wrong key", FakeReply(fault=Fault.BAD_KEY), AuthenticationFailed, "refused_key", 1),
    ("too long", FakeReply(fault=Fault.TOO_LONG), ContextTooLong, "too_long", 1),
    ("bad request", FakeReply(fault=Fault.BAD_REQUEST), RequestRefused, "refused", 1),
]


@pytest.mark.parametrize(
    ("reply", "error", "outcome", "requests"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_a_lasting_fault_ends_as_a_safe_error_with_a_row_for_each_request(
    team: Any,
    fake: FakeProvider,
    any_kind: str,
    reply: FakeReply,
    error: type[LLMError],
    outcome: str,
    requests: int,
) -> None:
    use_fake(team.organization, fake, kind=any_kind)
    play(fake, reply)
    with pytest.raises(error) as caught:
        run(team)
    assert (len(fake.requests), outcomes(team)) == (requests, [outcome] * requests)
    for row in LedgerEntry.objects.all():
        assert row.error
        assert KEY not in row.error
    assert str(caught.value).endswith(".")
    assert caught.value.vendor_text not in str(caught.value)
    assert KEY not in caught.value.vendor_text


PASSING = [case for case in FAULTS if case[4] == 3]


@pytest.mark.parametrize(("reply", "outcome"), [(c[1], c[3]) for c in PASSING], ids=[c[0] for c in PASSING])
def test_a_passing_fault_is_tried_again_and_nobody_notices(
    team: Any, fake: FakeProvider, any_kind: str, reply: FakeReply, outcome: str
) -> None:
    use_fake(team.organization, fake, kind=any_kind)
    play(fake, reply, GOOD)
    done = run(team)
    assert (done.response.message.text, done.attempts) == ("Hello there.", 2)
    assert outcomes(team) == [outcome, "succeeded"]


def test_a_hang_ends_with_the_providers_timeout_and_is_tried_again(
    team: Any, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "KEEP_S", 0.0)
    use_fake(team.organization, fake, timeout_s=300)
    run(team)  # What is changed counts for a client that is in use, too.
    team.organization.providers.update(timeout_s=1)
    play(fake, FakeReply(fault=Fault.HANG), GOOD)
    attempts = run(team).attempts
    assert attempts in (2, 3), "a machine that stands still may be late once more"
    assert outcomes(team) == ["succeeded"] + ["unavailable"] * (attempts - 1) + ["succeeded"]


def test_what_was_streamed_before_a_cut_is_called_back(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    play(fake, FakeReply(text="Good bye all", fault=Fault.CUT_CLEAN), GOOD)
    events: list[StreamEvent] = []
    run(team, events=events)
    at = next(i for i, event in enumerate(events) if isinstance(event, Restarted))
    assert any(isinstance(event, TextDelta) for event in events[:at])
    assert "".join(e.text for e in events[at:] if isinstance(e, TextDelta)) == "Hello there."


def test_a_failure_before_the_first_word_calls_nothing_back(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    play(fake, FakeReply(fault=Fault.SERVER_ERROR), GOOD)
    events: list[StreamEvent] = []
    run(team, events=events)
    assert not any(isinstance(event, Restarted) for event in events)


def test_the_wait_asked_for_is_kept(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    play(fake, FakeReply(fault=Fault.RATE_LIMIT, retry_after="0.5"), GOOD)
    run(team)
    first, second = fake.request_times
    assert 0.5 <= second - first < 20


def test_a_wait_longer_than_we_would_is_an_error_at_once(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    play(fake, FakeReply(fault=Fault.RATE_LIMIT, retry_after="120"))
    with pytest.raises(RateLimited) as caught:
        run(team)
    assert (caught.value.retry_after_s, len(fake.requests)) == (120, 1)


def test_no_retry_goes_past_the_deadline(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    run(team)
    play(fake, FakeReply(fault=Fault.HANG))
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        run(team, deadline_s=1.5)
    assert time.monotonic() - started < 20
    assert len(fake.requests) == 2, "one that was answered, and one"


def test_a_cancel_ends_a_hang_and_leaves_its_row(team: Any, fake: FakeProvider) -> None:
    import threading

    use_fake(team.organization, fake)
    cancel = CancelToken()

    def hang(request: FakeRequest) -> FakeReply:
        threading.Timer(0.2, cancel.cancel, ["stop"]).start()
        return FakeReply(fault=Fault.HANG)

    fake.brain = hang
    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(team, cancel=cancel)
    assert time.monotonic() - started < 20
    assert outcomes(team) == ["cancelled"]
