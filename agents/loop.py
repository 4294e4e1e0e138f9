"""The loop every process shares: ask the model, let the journal record and act, repeat.

It knows protocols and dataclasses only: no Django, no provider, no platform. Durability is the journal's matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from llm.types import CancelToken, ChatMessage, ChatRequest, ChatResponse, ToolResult, ToolSpec


@dataclass(frozen=True)
class Ending:
    """How a run ends. `state` is a terminal run state, or `waiting` for an idle interactive worker.

    `outcome` is done, partial or failed; `failure` is None unless something went wrong.
    """

    state: str
    outcome: str
    result: dict[str, Any] = field(default_factory=dict)
    failure: dict[str, Any] | None = None


@dataclass(frozen=True)
class StepRecord:
    """What the journal did with a response: tool results in the order of the calls, perhaps an end."""

    results: tuple[ToolResult, ...] = ()
    ending: Ending | None = None


@dataclass
class Transcript:
    """The conversation with the model so far. `stable` counts leading messages that no later request changes."""

    messages: list[ChatMessage] = field(default_factory=list)
    stable: int = 0
    steps: int = 0

    def join(self, added: Sequence[ChatMessage], *, stable: int | None = None) -> None:
        self.messages.extend(added)
        self.stable = len(self.messages) if stable is None else stable

    def record(self, response: ChatResponse, record: StepRecord) -> None:
        self.messages.append(response.message)
        self.messages.extend(record.results)
        self.steps += 1


class Ask(Protocol):
    def __call__(self, request: ChatRequest, cancel: CancelToken) -> ChatResponse: ...


class Journal(Protocol):
    """Makes steps durable. `collect` returns what joined since the last step; `record` stores and acts."""

    def check(self) -> None:
        """Raise RunStopped when the run must not go on."""

    def collect(self, transcript: Transcript) -> None: ...

    def record(self, number: int, response: ChatResponse) -> StepRecord: ...

    def step_limit(self, max_steps: int) -> Ending: ...


def run_loop(
    ask: Ask,
    journal: Journal,
    transcript: Transcript,
    *,
    system: tuple[str, ...],
    tools: tuple[ToolSpec, ...],
    max_steps: int,
    cancel: CancelToken,
) -> Ending:
    """Run until the journal ends it or `max_steps` model calls were made."""
    while transcript.steps < max_steps:
        journal.check()
        journal.collect(transcript)
        request = ChatRequest(
            system=system,
            messages=tuple(transcript.messages),
            tools=tools,
            stable_messages=transcript.stable,
        )
        response = ask(request, cancel)
        journal.check()
        record = journal.record(transcript.steps, response)
        transcript.record(response, record)
        if record.ending is not None:
            return record.ending
    return journal.step_limit(max_steps)
