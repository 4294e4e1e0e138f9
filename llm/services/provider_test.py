"""Trying a model for real: does it connect, call a tool, read the result, answer, and tell what it cost?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from accounts.actor import Actor
from accounts.models import Role
from llm import queries
from llm.errors import LLMError
from llm.models import Process
from llm.services.calls import CallContext, complete_with
from llm.services.routing import Candidate, candidate_for, endpoint_for
from llm.types import (
    CancelToken,
    ChatMessage,
    ChatRequest,
    ChatResponse,
    StreamEvent,
    TextDelta,
    ToolResult,
    ToolSpec,
    UserMessage,
)

TEST_DEADLINE_S = 60.0
MAX_SHOWN = 500
LOOK_UP = ToolSpec(
    name="look_up_word",
    description="Returns the word of the day. Call it before you answer.",
    parameters={"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
)
WORD = "lighthouse"


@dataclass(frozen=True)
class TestStep:
    """One thing that was tried; `detail` says in plain words what came back."""

    __test__ = False

    name: str
    ok: bool
    detail: str


@dataclass
class ProviderTest:
    """What came back. `vendor_text` is what the provider said about an error, without the key."""

    model: str
    steps: list[TestStep] = field(default_factory=list)
    latency_ms: int = 0
    first_token_ms: int | None = None
    error: str = ""
    vendor_text: str = ""

    @property
    def ok(self) -> bool:
        return not self.error and all(step.ok for step in self.steps)

    def in_words(self) -> str:
        """Return all of it as one line."""
        parts = [f"{step.name}: {step.detail}" for step in self.steps]
        if self.error and not any(self.error in part for part in parts):
            parts.append(self.error)
        if self.vendor_text:
            parts.append(f"The provider said: {self.vendor_text[:MAX_SHOWN]}")
        return " ".join(parts)


def test_provider(actor: Actor, entry_id: int) -> ProviderTest:
    """Send two real requests to one model: the first must call a tool, the second must use its result."""
    actor.check_level(Role.ADMIN)
    actor.check_scope("models:write")
    entry = queries.get_model(actor, entry_id)
    endpoint, problem = endpoint_for(entry.provider)
    candidate = candidate_for(entry, endpoint, key_problem=problem)
    context = CallContext(
        organization_id=actor.organization.pk,
        process=Process.CHANNEL,
        requester_user_id=actor.user.pk,
        deadline_s=TEST_DEADLINE_S,
    )
    return _Try(context, candidate).run()


test_provider.__test__ = False  # type: ignore[attr-defined]


class _Try:
    def __init__(self, context: CallContext, candidate: Candidate) -> None:
        self._context = context
        self._candidate = candidate
        self._started = time.monotonic()
        self.found = ProviderTest(model=candidate.model)

    def run(self) -> ProviderTest:
        question = UserMessage(
            "What is the word of the day for Monday? Look it up, then answer with that word."
        )
        try:
            first = self._ask((question,))
            self._judge_first(first)
            if first.message.tool_calls:
                results = [ToolResult(call.id, call.name, WORD) for call in first.message.tool_calls]
                self._judge_second(self._ask((question, first.message, *results)))
        except LLMError as error:
            self.found.error = str(error)
            self.found.vendor_text = error.vendor_text
            if not self.found.steps:
                self._add("connected", False, str(error))
        return self.found

    def _ask(self, messages: tuple[ChatMessage, ...]) -> ChatResponse:
        request = ChatRequest(
            system=("You are being tried out. Answer in one short sentence.",),
            messages=messages,
            tools=(LOOK_UP,),
            max_output_tokens=2_048,
        )
        started = time.monotonic()
        done = complete_with(
            self._context, self._candidate, request, on_event=self._notice, cancel=CancelToken()
        )
        self.found.latency_ms += round((time.monotonic() - started) * 1_000)
        return done.response

    def _notice(self, event: StreamEvent) -> None:
        if self.found.first_token_ms is None:
            self.found.first_token_ms = round((time.monotonic() - self._started) * 1_000)
        if isinstance(event, TextDelta) and not any(step.name == "streamed" for step in self.found.steps):
            self._add("streamed", True, "Text arrives while it is written.")

    def _judge_first(self, response: ChatResponse) -> None:
        self._add("connected", True, f"{response.model} answered in {self.found.latency_ms} ms.")
        calls = [call for call in response.message.tool_calls if call.name == LOOK_UP.name]
        if calls:
            self._add("tool call", True, f"It called {LOOK_UP.name} with {calls[0].arguments[:MAX_SHOWN]}.")
        else:
            said = response.message.text[:MAX_SHOWN]
            self._add("tool call", False, f"It answered without the tool, so it cannot work here: “{said}”")

    def _judge_second(self, response: ChatResponse) -> None:
        text = response.message.text.strip()
        self._add(
            "text", bool(text), f"It said: “{text[:MAX_SHOWN]}”" if text else "It called the tool again."
        )
        usage = response.usage
        counted = bool(usage.input_tokens or usage.cache_read_tokens)
        detail = f"{usage.input_tokens + usage.cache_read_tokens} tokens in, {usage.output_tokens} out."
        self._add("usage", counted, detail if counted else "It does not say how many tokens it used.")

    def _add(self, name: str, ok: bool, detail: str) -> None:
        self.found.steps.append(TestStep(name=name, ok=ok, detail=detail))
