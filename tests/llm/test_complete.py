"""`complete`: retries, fallbacks, cool-downs, deadlines, and one ledger row for each request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from llm.clients import pool
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
from llm.fakes.rows import STYLES as KINDS
from llm.fakes.rows import use_fake
from llm.models import LedgerEntry, Process
from llm.services import CallContext, CompletedCall, calls, complete, cooldowns, routing
from llm.services.providers import set_route, update_provider
from llm.types import (
    AssistantMessage,
    CancelToken,
    ChatRequest,
    Restarted,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolResult,
    UserMessage,
)
from secret_store import shields
from tests.llm.conftest import HELLO, KEY, REPLY

GOOD = FakeReply(text="Hello there.")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "FIRST_PAUSE_S", 0.01)
    cache.clear()
    yield
    pool.close_all()


@pytest.fixture(params=sorted(KINDS))
def any_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(
    team: Any,
    request: ChatRequest = HELLO,
    *,
    events: list[StreamEvent] | None = None,
    cancel: CancelToken | None = None,
    **fields: Any,
) -> CompletedCall:
    heard: list[StreamEvent] = [] if events is None else events
    context = CallContext(team.organization.pk, fields.pop("process", Process.CHANNEL), **fields)
    return complete(context, request, on_event=heard.append, cancel=cancel or CancelToken())


def play(fake: FakeProvider, *replies: FakeReply) -> None:
    """Answer with these, and with the last one from then on."""
    left = list(replies)
    fake.brain = lambda request: left.pop(0) if len(left) > 1 else left[0]


def outcomes(team: Any) -> list[str]:
    rows = LedgerEntry.objects.filter(organization=team.organization).order_by("pk")
    return [str(row.outcome) for row in rows]


def test_without_a_provider_the_stand_in_answers_and_says_so(team: Any) -> None:
    done = run(team, run_id=7)
    assert done.provider_name == "offline"
    assert "No model is configured" in done.response.message.tool_calls[0].arguments
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.outcome, row.cost_usd) == (7, "succeeded", 0)


def test_a_request_leaves_one_row_with_tokens_and_cost(team: Any, fake: FakeProvider, any_kind: str) -> None:
    use_fake(
        team.organization,
        fake,
        kind=any_kind,
        input_price=3,
        output_price=15,
        cache_read_price=Decimal("0.3"),
    )
    done = run(
        team,
        run_id=1,
        agent_id=2,
        conversation_id=3,
        requester_user_id=team.member.user.pk,
        process=Process.BRANCH,
    )
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.agent_id, row.conversation_id, row.process) == (1, 2, 3, "branch")
    assert row.requester_user == team.member.user
    assert (row.provider_name, row.model_asked, row.model_answered) == ("Fake", "fake-1", "fake-1")
    assert (row.input_tokens, row.cache_read_tokens, row.output_tokens) == (100, 40, 20)
    assert row.cost_usd == Decimal("0.000612") == done.cost_usd
    assert row.first_token_ms is not None
    assert row.latency_ms >= row.first_token_ms
    assert (row.outcome, row.error, done.attempts) == ("succeeded", "", 1)


def test_an_unknown_price_makes_the_cost_unknown(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake, input_price=3)
    assert run(team).cost_usd is None
    assert LedgerEntry.objects.get().cost_usd is None


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


@pytest.fixture
def second() -> Iterator[FakeProvider]:
    with FakeProvider(lambda request: FakeReply(text="From the second.")) as found:
        yield found


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


def test_a_broken_history_is_mended_before_it_is_sent(team: Any, fake: FakeProvider, any_kind: str) -> None:
    use_fake(team.organization, fake, kind=any_kind)
    messages = (
        UserMessage("hi"),
        AssistantMessage("", (ToolCall("c1", "reply", "{}"),)),
        UserMessage("still there?"),
        ToolResult("lost", "skip", "late"),
    )
    run(team, ChatRequest(system=("S",), messages=messages, tools=(REPLY,)))
    seen = fake.requests[0].messages
    assert [m.call_id for m in seen if isinstance(m, ToolResult)] == ["c1"]
    assert any(isinstance(m, UserMessage) and "late" in m.text for m in seen)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_the_model_thinks(transactional_db: None, fake: FakeProvider) -> None:
    from tests.factories import make_team

    team = make_team("acme")
    use_fake(team.organization, fake)
    held: list[bool] = []
    context = CallContext(team.organization.pk, Process.CHANNEL)
    complete(
        context,
        HELLO,
        on_event=lambda e: held.append(connection.connection is not None),
        cancel=CancelToken(),
    )
    assert held
    assert not any(held)


def test_a_warm_call_costs_one_query(
    team: Any, fake: FakeProvider, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept, name in ((routing, "KEEP_S"), (shields, "FRESH_S")):
        monkeypatch.setattr(kept, name, 600.0)
    use_fake(team.organization, fake)
    run(team)
    with django_assert_num_queries(3):
        # The row, between the savepoint of the test's own transaction and its release.
        run(team)
