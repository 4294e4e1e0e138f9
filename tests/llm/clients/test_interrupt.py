"""A call that waits can be stopped from another thread, wherever it waits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from llm.clients.endpoint import Endpoint, Target
from llm.clients.openai_chat import OpenAIChat
from llm.errors import Cancelled
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import Fault
from llm.types import CancelToken, ChatModel
from tests.llm.conftest import HELLO, ask

Make = Callable[..., ChatModel]
SOON_S = 15.0
"""Enough for a machine that stands still, and less than any call here would take by itself."""


def cancel_after(seconds: float, cancel: CancelToken) -> list[float]:
    """Cancel from another thread; the list then holds when."""
    moments: list[float] = []

    def work() -> None:
        moments.append(time.monotonic())
        cancel.cancel("stop")

    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
    return moments


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.HANG_MIDWAY])
def test_a_hanging_call_stops_at_once(make_client: Make, fake: FakeProvider, fault: Fault) -> None:
    ask(make_client())
    fake.brain = lambda request: FakeReply(text="Hello there", fault=fault)
    cancel = CancelToken()
    moments = cancel_after(0.1, cancel)
    with pytest.raises(Cancelled):
        ask(make_client(timeout_s=60), cancel=cancel)
    assert time.monotonic() - moments[0] < SOON_S


def test_a_streaming_call_stops_at_once(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(text="x" * 200, chunks=200, chunk_delay_s=0.2)
    cancel = CancelToken()
    moments = cancel_after(0.5, cancel)
    with pytest.raises(Cancelled):
        ask(make_client(), cancel=cancel)
    assert time.monotonic() - moments[0] < SOON_S


def test_a_call_cancelled_before_it_begins_sends_nothing(make_client: Make, fake: FakeProvider) -> None:
    cancel = CancelToken()
    cancel.cancel("stop")
    with pytest.raises(Cancelled):
        ask(make_client(), cancel=cancel)
    assert fake.requests == []


def test_a_late_cancel_does_not_touch_the_next_call(make_client: Make, fake: FakeProvider) -> None:
    cancel = CancelToken()
    ask(make_client(), cancel=cancel)
    fake.brain = lambda request: FakeReply(text="Hello again", chunks=5, chunk_delay_s=0.05)
    cancel_after(0.1, cancel)
    assert ask(make_client(), HELLO)[0].message.text == "Hello again"


def test_an_abandoned_stream_lets_go_of_its_connection(make_client: Make, fake: FakeProvider) -> None:
    fake.brain = lambda request: FakeReply(text="x" * 100, chunks=100, chunk_delay_s=0.05)
    events = make_client().stream(HELLO, cancel=CancelToken())
    next(events)
    events.close()
    fake.brain = lambda request: FakeReply(text="Next.")
    assert ask(make_client())[0].message.text == "Next."


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full: connecting to it hangs."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_call_that_cannot_even_connect_stops_at_once(full_port: int) -> None:
    endpoint = Endpoint(kind="openai_chat", api_key="k", base_url=f"http://127.0.0.1:{full_port}/v1")
    cancel = CancelToken()
    moments = cancel_after(0.2, cancel)
    with pytest.raises(Cancelled):
        ask(OpenAIChat(Target(endpoint=endpoint, model="m")), cancel=cancel)
    assert time.monotonic() - moments[0] < SOON_S
