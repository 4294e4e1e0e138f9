"""What goes wrong at a provider, over the real wire formats: what the person sees, and what the log keeps.

The person never reads the vendor's words; the ledger, the run and the logs keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from agents.models import Run, RunState
from llm.clients import pool
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import Fault
from llm.models import LedgerEntry, ModelEntry, Outcome, Provider, Route
from llm.services import calls
from llm.services.routing import forget_routing
from messaging.models import Handling, Message
from secret_store.models import Category
from secret_store.services import set_secret
from tests.agents.conftest import Engine

STYLES = {"openai_chat": "openai", "openai_responses": "responses", "anthropic": "anthropic"}
GOOD = FakeReply(tool_calls=(("reply", {"content": "Here I am."}),))
KEY = "sk-live-0123456789abcdefghij"


@pytest.fixture(params=sorted(STYLES))
def wire(request: pytest.FixtureRequest, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    monkeypatch.setattr(calls, "FIRST_PAUSE_S", 0.01)
    with FakeProvider() as fake:
        yield Wire(engine, fake, request.param)
    pool.close_all()


class Wire:
    """An engine whose channel asks a fake server; `answers` are given in order, the last one for ever."""

    def __init__(self, engine: Engine, fake: FakeProvider, kind: str) -> None:
        self.engine, self.fake = engine, fake
        organization = engine.team.organization
        set_secret(None, organization, name="FAKE_KEY", value=KEY, category=Category.SYSTEM)
        Provider.objects.filter(organization=organization).delete()
        provider = Provider.objects.create(
            organization=organization,
            name="fake",
            kind=kind,
            base_url=fake.base_url(STYLES[kind]),
            secret_name="FAKE_KEY",
            timeout_s=30,
        )
        entry = ModelEntry.objects.create(organization=organization, provider=provider, name="fake-1")
        Route.objects.create(organization=organization, process="channel", entry=entry)
        forget_routing(organization.pk)

    def wait_no_longer_than(self, seconds: int) -> None:
        Provider.objects.filter(name="fake").update(timeout_s=seconds)
        forget_routing(self.engine.team.organization.pk)

    def turn(self, *answers: FakeReply) -> tuple[str, Run, list[LedgerEntry]]:
        """Say hello; return what the person reads, the run, and the ledger."""
        left = list(answers)

        def brain(request: object) -> FakeReply:
            return left.pop(0) if len(left) > 1 else left[0]

        self.fake.brain = brain
        self.engine.say("hello")
        self.engine.settle()
        replies = self.engine.replies()
        assert len(replies) == 1
        assert not Message.objects.filter(handling=Handling.UNANSWERED).exists()
        return replies[0], Run.objects.get(kind="channel"), list(LedgerEntry.objects.order_by("id"))


def assert_clean(text: str) -> None:
    """No vendor's words, no status code, no key reaches a person."""
    for word in ("429", "500", "401", "400", "Error", "error", "fake-1", KEY, "Traceback", "http"):
        assert word not in text


def test_a_good_answer_streams_over_the_wire(wire: Wire) -> None:
    text, run, ledger = wire.turn(GOOD)
    assert text == "Here I am."
    assert run.state == RunState.SUCCEEDED
    assert [row.outcome for row in ledger] == [Outcome.SUCCEEDED]
    assert (ledger[0].input_tokens, ledger[0].cache_read_tokens, ledger[0].output_tokens) == (100, 40, 20)


@pytest.mark.parametrize("retry_after", ["", "0"])
def test_429_is_waited_out(wire: Wire, retry_after: str) -> None:
    text, _run, ledger = wire.turn(FakeReply(fault=Fault.RATE_LIMIT, retry_after=retry_after), GOOD)
    assert text == "Here I am."
    assert [row.outcome for row in ledger] == [Outcome.RATE_LIMITED, Outcome.SUCCEEDED]
    assert ledger[0].error


def test_429_without_end_is_said_kindly(wire: Wire) -> None:
    text, run, ledger = wire.turn(FakeReply(fault=Fault.RATE_LIMIT))
    assert "limiting our requests" in text
    assert_clean(text)
    assert run.failure is not None
    assert run.failure["class"] == "RateLimited"
    assert len(ledger) == calls.TRIES


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.OVERLOADED, Fault.CUT, Fault.STREAM_ERROR])
def test_passing_trouble_is_tried_again(wire: Wire, fault: Fault) -> None:
    text, run, ledger = wire.turn(FakeReply(text="half an answer that is cut", fault=fault), GOOD)
    assert text == "Here I am."
    assert run.state == RunState.SUCCEEDED
    assert ledger[0].outcome != Outcome.SUCCEEDED
    assert ledger[0].error


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.HANG, Fault.HANG_MIDWAY, Fault.CUT])
def test_lasting_trouble_is_said_kindly(wire: Wire, fault: Fault) -> None:
    wire.wait_no_longer_than(1)
    text, run, ledger = wire.turn(FakeReply(text="half an answer", fault=fault))
    assert "does not answer properly" in text
    assert_clean(text)
    assert run.state == RunState.FAILED
    assert len(ledger) == calls.TRIES
    assert all(row.outcome == Outcome.UNAVAILABLE for row in ledger)


BAD_ANSWERS: dict[str, Callable[[], FakeReply]] = {
    "broken tool JSON": lambda: FakeReply(tool_calls=(("reply", '{"content": "Hel'),)),
    "nothing": FakeReply,
    "cut at the length limit": lambda: FakeReply(
        tool_calls=(("reply", '{"content": "He'),), is_truncated=True
    ),
}


@pytest.mark.parametrize("what", sorted(BAD_ANSWERS))
def test_an_answer_that_is_none_is_tried_again_and_never_sent(wire: Wire, what: str) -> None:
    text, _run, ledger = wire.turn(BAD_ANSWERS[what](), GOOD)
    assert text == "Here I am."
    assert [row.outcome for row in ledger] == [Outcome.BAD_RESPONSE, Outcome.SUCCEEDED]


def test_a_wrong_key_is_said_to_those_who_can_mend_it(wire: Wire) -> None:
    text, run, ledger = wire.turn(FakeReply(fault=Fault.BAD_KEY))
    assert "refused our key" in text
    assert "Settings → Models" in text
    assert_clean(text)
    assert [row.outcome for row in ledger] == [Outcome.REFUSED_KEY]
    assert KEY not in ledger[0].error
    assert KEY not in str(run.failure)


def test_a_context_too_long_is_said_and_not_repeated(wire: Wire) -> None:
    text, run, ledger = wire.turn(FakeReply(fault=Fault.TOO_LONG))
    assert "too long" in text
    assert_clean(text)
    assert [row.outcome for row in ledger] == [Outcome.TOO_LONG]
    assert run.failure is not None
    assert run.failure["vendor"]
