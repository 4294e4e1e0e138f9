"""Asking through `complete`, answers in order, and what the ledger says came of them."""

from __future__ import annotations

from typing import Any

from llm.fakes import FakeProvider, FakeReply
from llm.models import LedgerEntry, Process
from llm.services import CallContext, CompletedCall, complete
from llm.types import CancelToken, ChatRequest, StreamEvent
from tests.llm.conftest import HELLO

GOOD = FakeReply(text="Hello there.")


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
