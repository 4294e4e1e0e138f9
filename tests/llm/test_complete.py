"""`complete`: routing, retries, fallbacks, the ledger."""

from __future__ import annotations

from typing import Any

from llm.models import LedgerEntry, Process
from llm.services import CallContext, complete
from llm.types import CancelToken, ChatRequest, ToolSpec, UserMessage

REPLY = ToolSpec("reply", "Say something", {"type": "object", "properties": {"content": {"type": "string"}}})


def test_without_a_provider_the_stand_in_answers_and_says_so(team: Any) -> None:
    context = CallContext(team.organization.pk, Process.CHANNEL, run_id=7)
    request = ChatRequest(system=("Be kind.",), messages=(UserMessage("hello"),), tools=(REPLY,))
    done = complete(context, request, on_event=lambda event: None, cancel=CancelToken())
    assert done.provider_name == "offline"
    assert "No model is configured" in done.response.message.tool_calls[0].arguments
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.outcome, row.cost_usd) == (7, "succeeded", 0)
