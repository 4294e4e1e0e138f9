"""Our models served to programs: the vendors' own SDKs ask, and cannot tell us from a vendor."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anthropic
import httpx
import openai
import pytest
from django.core.cache import cache

from llm.clients import pool
from llm.errors import RateLimited
from llm.fakes import FakeProvider, FakeReply, FakeRequest
from llm.fakes.replies import Fault
from llm.fakes.rows import use_fake
from llm.models import LedgerEntry, Process
from llm.services import CallContext, calls
from llm.serving import endpoint as serving
from llm.serving.endpoint import Endpoint, open_endpoint
from llm.types import AssistantMessage, CancelToken, ToolResult, UserMessage
from secret_store.services import set_secret

TOKEN = "token-of-this-run"
OURS = {"authorization": f"Bearer {TOKEN}"}
TOOL = {"type": "object", "properties": {"path": {"type": "string"}}}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(serving, "LOOK_EVERY_S", 0.02)
    cache.clear()
    yield
    pool.close_all()


@contextmanager
def served(team: Any, **options: Any) -> Iterator[Endpoint]:
    context = CallContext(team.organization.pk, Process.WORKER, agent_id=team.agent.pk, run_id=7)
    with open_endpoint(Endpoint(context, TOKEN, CancelToken()), **options) as endpoint:
        yield endpoint


def openai_of(endpoint: Endpoint, *, key: str = TOKEN) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"http://127.0.0.1:{endpoint.port}/v1", api_key=key, max_retries=0, timeout=60
    )


def anthropic_of(endpoint: Endpoint) -> anthropic.Anthropic:
    return anthropic.Anthropic(
        base_url=f"http://127.0.0.1:{endpoint.port}", api_key=TOKEN, max_retries=0, timeout=60
    )


def address(endpoint: Endpoint) -> str:
    return f"http://127.0.0.1:{endpoint.port}/v1/chat/completions"


def asking(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "hello"}], **more}


pytestmark = pytest.mark.django_db(transaction=True)


def test_an_openai_client_streams_text_and_calls(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake, input_price=3, output_price=15, cache_read_price=0)
    fake.brain = lambda request: FakeReply(text="I look.", tool_calls=(("read", {"path": "a.txt"}),))
    with served(team) as endpoint, openai_of(endpoint) as client:
        chunks = list(
            client.chat.completions.create(
                model="whatever",
                stream=True,
                stream_options={"include_usage": True},
                messages=[
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": [{"type": "text", "text": "Read it"}]},
                    {
                        "role": "assistant",
                        "content": None,
                        "tool_calls": [
                            {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
                        ],
                    },
                    {"role": "tool", "tool_call_id": "c1", "content": "nothing"},
                ],
                tools=[
                    {
                        "type": "function",
                        "function": {"name": "read", "description": "Reads", "parameters": TOOL},
                    }
                ],
            )
        )
        deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
        assert "".join(delta.content or "" for delta in deltas) == "I look."
        [call] = [call for delta in deltas for call in delta.tool_calls or ()]
        assert call.function is not None
        assert (call.function.name, json.loads(call.function.arguments or "")) == ("read", {"path": "a.txt"})
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.prompt_tokens == 140
        spent = endpoint.take_spent()
        assert spent.usage.input_tokens == 100
        assert spent.cost_usd
        assert endpoint.take_spent().usage.input_tokens == 0
    [asked] = fake.requests
    assert asked.messages == (
        UserMessage("Read it"),
        AssistantMessage("", asked.messages[1].tool_calls),  # type: ignore[union-attr]
        ToolResult("c1", "read", "nothing"),
    )
    assert asked.body["messages"][0] == {"role": "system", "content": "Be brief."}
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.process) == (7, "worker")


def test_an_anthropic_client_streams_text_and_calls(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    fake.brain = lambda request: FakeReply(text="I look.", tool_calls=(("read", {"path": "a.txt"}),))
    ask: dict[str, Any] = {
        "model": "whatever",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": "Read it"}],
        "tools": [{"name": "read", "description": "Reads", "input_schema": TOOL}],
    }
    with served(team) as endpoint, anthropic_of(endpoint) as client:
        with client.messages.stream(**ask) as stream:
            message = stream.get_final_message()
        plain = client.messages.create(**ask)
        counted = client.messages.count_tokens(
            **{name: value for name, value in ask.items() if name != "max_tokens"}
        )
    for each in (message, plain):
        text, call = each.content
        assert text.type == "text"
        assert call.type == "tool_use"
        assert (text.text, call.name, call.input) == ("I look.", "read", {"path": "a.txt"})
        assert (each.stop_reason, each.usage.output_tokens) == ("tool_use", 20)
    assert counted.input_tokens > 0
    assert len(fake.requests) == 2


def test_a_key_of_another_run_asks_nothing(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    with (
        served(team) as endpoint,
        openai_of(endpoint, key="guessed") as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
    assert fake.requests == []


def test_an_error_of_the_model_comes_as_the_status_that_clients_know(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    fake.brain = lambda request: FakeReply(fault=Fault.RATE_LIMIT)
    with served(team) as endpoint, openai_of(endpoint) as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
        assert isinstance(endpoint.failure, RateLimited)


def test_a_stream_is_kept_open_while_the_model_thinks(
    team: Any, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "COMMENT_EVERY_S", 0.05)
    use_fake(team.organization, fake)
    heard = threading.Event()

    def think(request: FakeRequest) -> FakeReply:
        heard.wait(25)
        return FakeReply(text="At last.")

    fake.brain = think
    with (
        served(team) as endpoint,
        httpx.stream("POST", address(endpoint), json=asking(stream=True), headers=OURS, timeout=60) as answer,
    ):
        lines = answer.iter_lines()
        first = next(lines)
        heard.set()
        rest = "\n".join(lines)
    assert first == ": a model is at work"
    assert "At last." in rest


def test_who_hangs_up_stops_the_model(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake)
    asked = threading.Event()

    def hang(request: FakeRequest) -> FakeReply:
        asked.set()
        return FakeReply(fault=Fault.HANG)

    fake.brain = hang
    with served(team) as endpoint:
        client = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
        client.request("POST", "/v1/chat/completions", json.dumps(asking()), OURS)
        assert asked.wait(25)
        client.close()
        until = time.monotonic() + 25
        while endpoint.is_working:
            assert time.monotonic() < until
            time.sleep(0.02)
        assert endpoint.failure is None
    assert LedgerEntry.objects.get().outcome == "cancelled"


def test_what_a_program_sends_is_scrubbed_of_secrets(team: Any, fake: FakeProvider, tmp_path: Path) -> None:
    set_secret(
        team.owner, team.organization, name="DEPLOY_KEY", value="swordfish-of-the-deep-7781", category="tool"
    )
    use_fake(team.organization, fake)
    fake.brain = lambda request: FakeReply(text="It says swordfish-of-the-deep-7781.")
    path = tmp_path / "models"
    transport = httpx.HTTPTransport(uds=str(path))
    with (
        served(team, unix=path),
        httpx.Client(transport=transport, base_url="http://models", timeout=60) as client,
    ):
        answer = client.post(
            "/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "key: swordfish-of-the-deep-7781"}]},
            headers=OURS,
        )
    assert "swordfish" not in json.dumps(fake.requests[0].body)
    assert "swordfish" not in answer.text
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"messages": 5}', b'{"messages": [{}]}'])
def test_nonsense_is_refused(team: Any, fake: FakeProvider, content: bytes) -> None:
    use_fake(team.organization, fake)
    with served(team) as endpoint:
        answer = httpx.post(address(endpoint), content=content, headers=OURS, timeout=60)
        assert answer.status_code == 400
        files = f"http://127.0.0.1:{endpoint.port}/v1/files"
        other = httpx.post(files, content=b"{}", headers=OURS, timeout=60)
        assert other.status_code == 404
    assert fake.requests == []
