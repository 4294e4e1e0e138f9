"""Every way a provider can fail becomes one of our errors: safe words for people, the vendor's words for logs."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from llm.errors import (
    AuthenticationFailed,
    BadResponse,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    ProviderUnavailable,
    RateLimited,
    RequestRefused,
)
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import Fault
from llm.types import ChatModel
from tests.llm.conftest import KEY, ask

Make = Callable[..., ChatModel]
BROKEN = FakeReply(tool_calls=(("reply", '{"content": "hel'),))

CASES: list[tuple[str, FakeReply, type[LLMError], str]] = [
    ("rate limit", FakeReply(fault=Fault.RATE_LIMIT), RateLimited, "too many requests"),
    ("500", FakeReply(fault=Fault.SERVER_ERROR), ProviderUnavailable, "problem at its end"),
    ("overloaded", FakeReply(fault=Fault.OVERLOADED), ProviderUnavailable, "problem at its end"),
    ("wrong key", FakeReply(fault=Fault.BAD_KEY), AuthenticationFailed, "refused the key"),
    ("no credit", FakeReply(fault=Fault.NO_CREDIT), AuthenticationFailed, "no credit"),
    ("too long", FakeReply(fault=Fault.TOO_LONG), ContextTooLong, "too long"),
    ("bad request", FakeReply(fault=Fault.BAD_REQUEST), RequestRefused, "refused the request"),
    ("no such model", FakeReply(fault=Fault.NO_SUCH_MODEL), ModelNotFound, "does not know"),
    ("cut", FakeReply(text="Hello there", fault=Fault.CUT), ProviderUnavailable, "broke"),
    ("cut clean", FakeReply(text="Hello there", fault=Fault.CUT_CLEAN), ProviderUnavailable, "broke off"),
    ("error in stream", FakeReply(text="Hello", fault=Fault.STREAM_ERROR), ProviderUnavailable, "broke off"),
    ("not JSON", FakeReply(text="Hello", fault=Fault.NOT_JSON), BadResponse, "could not be read"),
    ("broken tool JSON", BROKEN, BadResponse, "cannot be read"),
    ("arguments no object", FakeReply(tool_calls=(("reply", "[1]"),)), BadResponse, "cannot be read"),
    ("empty", FakeReply(), BadResponse, "empty"),
    ("blank", FakeReply(text=" \n"), BadResponse, "empty"),
    (
        "truncated call",
        FakeReply(tool_calls=(("reply", '{"co'),), is_truncated=True),
        BadResponse,
        "ran out of room",
    ),
]


@pytest.mark.parametrize(
    ("reply", "error", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_fault_becomes_our_error(
    make_client: Make, fake: FakeProvider, reply: FakeReply, error: type[LLMError], words: str
) -> None:
    fake.brain = lambda request: reply
    with pytest.raises(error) as caught:
        ask(make_client())
    assert type(caught.value) is error
    assert words in str(caught.value)
    assert caught.value.vendor_text
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None)])
def test_the_wait_a_provider_asks_for_is_read(
    make_client: Make, fake: FakeProvider, header: str, seconds: float | None
) -> None:
    fake.brain = lambda request: FakeReply(fault=Fault.RATE_LIMIT, retry_after=header)
    with pytest.raises(RateLimited) as caught:
        ask(make_client())
    assert caught.value.retry_after_s == seconds


def test_the_limit_of_the_context_is_read(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(fault=Fault.TOO_LONG)
    with pytest.raises(ContextTooLong) as caught:
        ask(make_client())
    assert caught.value.limit_tokens == 8_192


def test_a_useless_answer_still_tells_what_it_cost(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: BROKEN
    with pytest.raises(BadResponse) as caught:
        ask(make_client())
    assert caught.value.usage.output_tokens == 20


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.HANG_MIDWAY])
def test_silence_ends_with_the_timeout(make_client: Make, fake: FakeProvider, fault: Fault) -> None:
    fake.brain = lambda request: FakeReply(text="Hello there", fault=fault)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="in time"):
        ask(make_client(timeout_s=0.3))
    assert 0.25 < time.monotonic() - started < 20


def test_a_trickle_ends_with_the_deadline(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(text="x" * 200, chunks=200, chunk_delay_s=0.2)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable, match="in time"):
        ask(make_client(deadline_at=time.monotonic() + 0.4))
    assert 0.35 < time.monotonic() - started < 20


def test_nobody_listening_is_unavailable(make_client: Make, fake: FakeProvider) -> None:
    client = make_client()
    fake.stop()
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        ask(client)


def test_a_broken_call_leaves_the_pool_usable(make_client: Make, fake: FakeProvider) -> None:
    replies = iter(
        [FakeReply(text="Hello there", fault=Fault.CUT), FakeReply(fault=Fault.HANG), FakeReply(text="Fine.")]
    )
    fake.brain = lambda request: next(replies)
    with pytest.raises(ProviderUnavailable):
        ask(make_client())
    with pytest.raises(ProviderUnavailable):
        ask(make_client(deadline_at=time.monotonic() + 0.3))
    assert ask(make_client())[0].message.text == "Fine."
