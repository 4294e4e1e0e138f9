"""What differs between the kinds of process: prompt, tools, what joins a step, and what an end causes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from agents.engine.claims import Claim, Held
from agents.loop import Ending
from agents.models import Run, RunState
from agents.tools.base import Tool
from llm.errors import LLMError
from llm.models import Process as LlmProcess
from llm.types import ChatMessage, ChatResponse
from realtime.services import NewEvent, publish_transient
from secret_store.shields import look


@dataclass(frozen=True)
class Joined:
    """What a step is given: messages, and how many of them later requests will repeat unchanged.

    `seq` is the newest message of the conversation that is in, `report_ids` the results that are told.
    """

    messages: tuple[ChatMessage, ...] = ()
    volatile: int = 0
    seq: int = 0
    report_ids: tuple[int, ...] = ()
    input_ids: tuple[int, ...] = ()


def failure_of(error: LLMError | None, message: str, *, otherwise: str) -> dict[str, Any]:
    """Return what is kept of a failure: its class, `otherwise` where no model failed, and words for people and for logs."""
    failure: dict[str, Any] = {"class": type(error).__name__ if error else otherwise, "message": message}
    if error is not None and error.vendor_text:
        failure["vendor"] = error.vendor_text[:2000]
    return failure


DEFAULT_WINDOW = 128_000


class Process(ABC):
    """One execution of one run. Everything durable is in rows: an instance may vanish at any moment.

    `window` is the tokens that the models which may answer can take, `base_tokens` those of system prompt and tools;
    `asked_tokens` those of the last request; the executor sets them. `shield` keeps secrets out, as they were when it began.
    `said_before` is what people have read of it last.
    """

    llm_process: ClassVar[LlmProcess]
    max_steps: ClassVar[int]
    governed: ClassVar[bool] = True
    """Whether the organization's tool policies hold; not for upkeep, whose tools no person asked for."""
    waits_for_people: ClassVar[bool] = False
    """Whether the run lies waiting while a person decides; else it goes on, and the call is made afterwards."""

    def __init__(self, run: Run, claim: Claim) -> None:
        self.run = run
        self.claim = claim
        self.window = DEFAULT_WINDOW
        self.base_tokens = 0
        self.asked_tokens = 0
        self.said_before = ""
        self.cost_usd: Decimal | None = Decimal(0)
        self.shield = look(
            run.organization_id,
            run.agent_id,
            mode=run.agent.settings.get("scrubbing"),
            version=run.__dict__.get("vault_version", ""),
        )

    def spend(self, cost_usd: Decimal | None) -> None:
        """Count what a step cost; where one is unpriced, the whole is."""
        self.cost_usd = None if cost_usd is None or self.cost_usd is None else self.cost_usd + cost_usd

    @abstractmethod
    def system(self) -> tuple[str, ...]:
        """Return the system prompt, stable to volatile."""

    @abstractmethod
    def tools(self) -> dict[str, Tool]: ...

    @cached_property
    def outside_tools(self) -> dict[str, Tool]:
        """The tools of MCP servers that the run may hold, as its start finds them."""
        from agents.mcp.offer import offered_tools

        return offered_tools(self.run, self.shield)

    @cached_property
    def lacking(self) -> dict[str, str]:
        """The tools it would hold that cannot work here, with the reasons, as its start finds it."""
        from agents.tools.registry import lacking

        return lacking(self.run)

    @abstractmethod
    def collect(self, *, first: bool) -> Joined:
        """Return what joins before the next step; at the first step, all there is."""

    @abstractmethod
    def text_only(self, response: ChatResponse, *, key: str, held: Held) -> Ending | str:
        """Treat an answer without a tool call, inside the step's transaction: an end, or words that nudge."""

    @abstractmethod
    def step_limit(self) -> Ending: ...

    @abstractmethod
    def stopped(self, state: RunState, reason: str) -> Ending:
        """Return the end after a cancellation or a deadline."""

    @abstractmethod
    def failed(self, error: LLMError | None, message: str) -> Ending:
        """Return the end after an error; `message` is safe for people."""

    def before_finish(self, ending: Ending, held: Held) -> None:
        """Write what the end causes, before the run's own row is closed (same transaction)."""

    def after_finish(self, ending: Ending, held: Held) -> None:
        """Start what follows, after the run's own row is closed (same transaction)."""

    def resume(self, joined: Joined) -> None:
        """Take note of what recorded steps have already joined."""

    def join(self, joined: Joined) -> None:
        """Take note of what the step about to run has joined."""

    def announce_tool(self, name: str) -> None:
        """Show which tool runs now."""
        if self.run.conversation_id:
            payload = {"run_id": self.run.pk, "tool": name, "status": self.run.status_text}
            publish_transient(
                self.run.organization_id,
                NewEvent(kind="run.activity", payload=payload, conversation_id=self.run.conversation_id),
            )

    def early_end(self) -> Ending | None:
        """Return the end of a run that must not go on, whatever it was about to do."""
        return None

    def close(self) -> None:
        """Let go of what this execution has opened."""

    def streams_to_people(self) -> bool:
        """Say whether people watch this process's text while it streams."""
        return False

    @property
    def workspace(self) -> Path:
        from agents.tools.workspace import workspace_of

        return workspace_of(self.run)
