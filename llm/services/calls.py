"""One call to a model: who may answer, tries, pauses, fallbacks, and a ledger row for each request."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from accounts.database import release_connection
from llm.clients.endpoint import Target
from llm.clients.registry import client_for
from llm.errors import (
    AuthenticationFailed,
    BadResponse,
    Cancelled,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    NotConfigured,
    ProviderUnavailable,
    RateLimited,
)
from llm.history import repair
from llm.models import Process
from llm.services import cooldowns, ledger
from llm.services.routing import Candidate, get_routing
from llm.services.shielding import Shielding
from llm.services.tokens import estimate_tokens
from llm.services.windows import learn_window
from llm.types import CancelToken, ChatRequest, ChatResponse, Completed, Restarted, StreamEvent, Usage
from secret_store.shields import Shield, shield_for

log = logging.getLogger(__name__)

TRIES = 3
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True)
class CallContext:
    """For whom and for what a model is asked. `deadline_s` ends the call with all its retries."""

    organization_id: int
    process: Process
    agent_id: int | None = None
    run_id: int | None = None
    conversation_id: int | None = None
    requester_user_id: int | None = None
    requester_person_id: int | None = None
    model_override: int | None = None
    deadline_s: float = 900.0
    shield: Shield | None = None
    """What keeps secrets from the model and out of its answer; without one, the agent's own is looked up."""


@dataclass(frozen=True)
class CompletedCall:
    """`attempts` counts the requests sent; `cost_usd` is that of the one that succeeded, None if unknown.

    `redactions` counts the secrets taken out of the answer, by name.
    """

    response: ChatResponse
    entry_name: str
    provider_name: str
    cost_usd: Decimal | None
    attempts: int
    redactions: Mapping[str, int] = field(default_factory=dict)


def complete(
    context: CallContext,
    request: ChatRequest,
    *,
    on_event: Callable[[StreamEvent], None],
    cancel: CancelToken,
) -> CompletedCall:
    """Ask a model and return its answer; deltas, and `Restarted` when a retry voids them, go to `on_event`.

    No secret reaches the model, and none is in the answer: see `shielding`.

    Gives the database connection back before it waits, unless inside a transaction. Raises the LLMError of the
    last request; RequestRefused and ContextTooLong at once: the request itself must change.
    """
    candidates = get_routing(context.organization_id).candidates(
        context.process, model_override=context.model_override
    )
    ready, cooling = cooldowns.split(candidates)
    call = _Call(context, request, on_event, cancel)
    error: LLMError = NotConfigured("No model is set up for this.")
    # Those that cool down come last: late is better than never.
    chain = [*ready, *cooling]
    for position, candidate in enumerate(chain):
        try:
            return call.ask(candidate, has_next=position + 1 < len(chain))
        except (RateLimited, ProviderUnavailable, BadResponse, AuthenticationFailed, ModelNotFound) as failed:
            error = failed
            if call.is_out_of_time:
                break
            log.warning("%s of %s failed, moving on: %r", candidate.model, candidate.provider_name, failed)
    raise error


def complete_with(
    context: CallContext,
    candidate: Candidate,
    request: ChatRequest,
    *,
    on_event: Callable[[StreamEvent], None],
    cancel: CancelToken,
) -> CompletedCall:
    """Ask one model once, without routes, retries or fallbacks. Writes its ledger row; raises LLMError."""
    return _Call(context, request, on_event, cancel).send(candidate)


def _repaired(request: ChatRequest) -> ChatRequest:
    messages = repair(request.messages)
    if messages == request.messages:
        return request
    return ChatRequest(
        system=request.system,
        messages=messages,
        tools=request.tools,
        max_output_tokens=request.max_output_tokens,
        stable_messages=0,
        require_tool=request.require_tool,
    )


class _Call:
    """The state of one `complete`."""

    def __init__(
        self,
        context: CallContext,
        request: ChatRequest,
        on_event: Callable[[StreamEvent], None],
        cancel: CancelToken,
    ) -> None:
        self._context = context
        shield = context.shield or shield_for(context.organization_id, context.agent_id)
        self._shielding = Shielding(shield)
        self._request = self._shielding.request(_repaired(request))
        self._on_event = on_event
        self._cancel = cancel
        self._ends_at = time.monotonic() + context.deadline_s
        self._has_streamed = False
        self._attempts = 0
        self._first_at: float | None = None

    @property
    def is_out_of_time(self) -> bool:
        return time.monotonic() >= self._ends_at

    def ask(self, candidate: Candidate, *, has_next: bool) -> CompletedCall:
        """Send the request up to three times; a rate limit gives way to the next candidate, if any."""
        for attempt in range(1, TRIES + 1):
            try:
                return self.send(candidate)
            except RateLimited as error:
                cooldowns.start(candidate, error.retry_after_s)
                if has_next or attempt == TRIES:
                    raise
                self._pause(error, attempt)
            except (ProviderUnavailable, BadResponse) as error:
                if attempt == TRIES:
                    raise
                self._pause(error, attempt)
        raise AssertionError("unreachable")

    def send(self, candidate: Candidate) -> CompletedCall:
        """Send one request and write its ledger row, however it ends."""
        if candidate.key_problem:
            raise AuthenticationFailed(
                "The key of the model provider cannot be read.", vendor_text=candidate.key_problem
            )
        if self._has_streamed:
            self._on_event(Restarted("The model is asked again."))
            self._has_streamed = False
        release_connection()
        self._attempts += 1
        started, self._first_at = time.monotonic(), None
        try:
            response = self._receive(candidate)
        except BaseException as error:
            failed = error if isinstance(error, LLMError) else Cancelled("stopped", vendor_text=repr(error))
            # Vendors quote the key they refuse; what goes on from here is logged and kept with the run.
            failed.vendor_text = self._shielding.text(
                ledger.scrub(failed.vendor_text, candidate.endpoint.api_key)
            )
            self._record(candidate, started, error=failed)
            if isinstance(error, ContextTooLong):
                learn_window(candidate, error.limit_tokens, estimate_tokens(self._request))
            raise
        cost = self._record(candidate, started, response=response)
        shielded, redactions = self._shielding.response(response)
        return CompletedCall(
            response=shielded,
            entry_name=candidate.model,
            provider_name=candidate.provider_name,
            cost_usd=cost,
            attempts=self._attempts,
            redactions=redactions,
        )

    def _receive(self, candidate: Candidate) -> ChatResponse:
        target = Target(
            endpoint=candidate.endpoint,
            model=candidate.model,
            max_output_tokens=candidate.max_output_tokens,
            deadline_at=self._ends_at,
        )
        response: ChatResponse | None = None
        with contextlib.closing(client_for(target).stream(self._request, cancel=self._cancel)) as events:
            for event in events:
                self._first_at = self._first_at or time.monotonic()
                if isinstance(event, Completed):
                    response = event.response
                    continue
                self._has_streamed = True
                self._on_event(event)
        if response is None:
            raise ProviderUnavailable("The model's answer broke off before its end.")
        return response

    def _record(
        self,
        candidate: Candidate,
        started: float,
        *,
        response: ChatResponse | None = None,
        error: LLMError | None = None,
    ) -> Decimal | None:
        answered = response or (error if isinstance(error, BadResponse) else None)
        finished = ledger.Request(
            candidate=candidate,
            latency_ms=round((time.monotonic() - started) * 1_000),
            first_token_ms=round((self._first_at - started) * 1_000) if self._first_at else None,
            usage=answered.usage if answered else Usage(),
            model_answered=response.model if response else "",
            error=error,
        )
        return ledger.write(self._context, finished)

    def _pause(self, error: LLMError, attempt: int) -> None:
        """Wait before the next try, jittered; raise `error` if the wait would not fit."""
        asked = error.retry_after_s if isinstance(error, RateLimited) else None
        if asked is not None and asked > LONGEST_PAUSE_S:
            raise error
        backoff = FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        seconds = backoff if asked is None else asked + random.uniform(0, 0.25)
        if time.monotonic() + seconds >= self._ends_at:
            raise error
        log.warning("trying again in %.1f s after %r: %s", seconds, error, error.vendor_text[:200])
        if self._cancel.wait(seconds):
            raise Cancelled("The request was stopped.") from error
