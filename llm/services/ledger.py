"""One row per request: who asked, which model, what it cost, how it ended."""

from __future__ import annotations

import logging
import re
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from llm.errors import (
    AuthenticationFailed,
    BadResponse,
    Cancelled,
    ContextTooLong,
    LLMError,
    ModelNotFound,
    RateLimited,
    RequestRefused,
)
from llm.models import LedgerEntry, Outcome
from llm.services.routing import Candidate, Prices
from llm.types import Usage

if TYPE_CHECKING:
    from llm.services.calls import CallContext

log = logging.getLogger(__name__)

MAX_ERROR = 2_000
NO_USAGE = Usage()
MILLION = Decimal(1_000_000)
OUTCOMES: dict[type[LLMError], Outcome] = {
    RateLimited: Outcome.RATE_LIMITED,
    ContextTooLong: Outcome.TOO_LONG,
    AuthenticationFailed: Outcome.REFUSED_KEY,
    ModelNotFound: Outcome.REFUSED,
    RequestRefused: Outcome.REFUSED,
    BadResponse: Outcome.BAD_RESPONSE,
    Cancelled: Outcome.CANCELLED,
}
_LOOKS_LIKE_A_KEY = re.compile(r"\b(?:sk|pk|gsk|xai|key)[-_][\w*.-]{6,}|\bBearer\s+\S+|\bAIza[\w-]{20,}")


@dataclass(frozen=True)
class Request:
    """What is known of one request when it is over."""

    candidate: Candidate
    latency_ms: int
    first_token_ms: int | None
    usage: Usage = NO_USAGE
    model_answered: str = ""
    error: LLMError | None = None


def write(context: CallContext, request: Request) -> Decimal | None:
    """Store the row and return the cost, None if a price is unknown.

    A database that is away for a moment gets a second try; after that the answer is worth more than its row,
    which then stands in the log."""
    row = _row(context, request)
    for attempt in (1, 2):
        try:
            # A savepoint keeps a refused row from spoiling the caller's transaction; alone, one statement is enough.
            with transaction.atomic() if connection.in_atomic_block else nullcontext():
                row.save(force_insert=True)
            break
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or attempt == 2:
                log.exception("a ledger row was lost: %s", _describe(row))
                break
            connection.close()
            row.pk = None
        except DatabaseError:
            log.exception("a ledger row was refused: %s", _describe(row))
            break
    return row.cost_usd


def cost_usd(usage: Usage, prices: Prices) -> Decimal | None:
    """Return what the tokens cost; None if one of the prices that matter is unknown."""
    total = Decimal(0)
    for tokens, price in (
        (usage.input_tokens, prices.input),
        (usage.output_tokens, prices.output),
        (usage.cache_read_tokens, prices.cache_read),
        (usage.cache_write_tokens, prices.cache_write),
    ):
        if tokens and price is None:
            return None
        total += tokens * (price or Decimal(0))
    return (total / MILLION).quantize(Decimal("0.00000001"))


def scrub(text: str, api_key: str) -> str:
    """Take the key, and whatever looks like one, out of a vendor's words."""
    if len(api_key) >= 4:
        text = text.replace(api_key, "[key]")
    return _LOOKS_LIKE_A_KEY.sub("[key]", text).replace("\x00", "")[:MAX_ERROR]


def _row(context: CallContext, request: Request) -> LedgerEntry:
    candidate, usage, error = request.candidate, request.usage, request.error
    unknown = Prices() if error is not None and not any(vars(usage).values()) else candidate.prices
    return LedgerEntry(
        organization_id=context.organization_id,
        requester_user_id=context.requester_user_id,
        requester_person_id=context.requester_person_id,
        agent_id=context.agent_id,
        run_id=context.run_id,
        conversation_id=context.conversation_id,
        process=context.process,
        provider_name=candidate.provider_name,
        model_asked=candidate.model,
        model_answered=request.model_answered[:120],
        outcome=Outcome.SUCCEEDED if error is None else OUTCOMES.get(type(error), Outcome.UNAVAILABLE),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cost_usd=cost_usd(usage, unknown),
        latency_ms=request.latency_ms,
        first_token_ms=request.first_token_ms,
        error="" if error is None else error.vendor_text or str(error),
    )


def _describe(row: LedgerEntry) -> str:
    tokens = row.input_tokens + row.output_tokens
    return f"organization {row.organization_id}, run {row.run_id}, {row}, {tokens} tokens"
