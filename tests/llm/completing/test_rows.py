"""`complete`: one ledger row for each request, with its tokens and cost; what it costs us, and a history that is mended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from llm.fakes import FakeProvider
from llm.fakes.rows import use_fake
from llm.models import LedgerEntry, Process
from llm.services import CallContext, complete
from llm.types import AssistantMessage, CancelToken, ChatRequest, ToolCall, ToolResult, UserMessage
from tests.llm.completing.asking import run
from tests.llm.conftest import HELLO, REPLY


def test_without_a_provider_the_stand_in_answers_and_says_so(team: Any) -> None:
    done = run(team, run_id=7)
    assert done.provider_name == "offline"
    assert "No model is configured" in done.response.message.tool_calls[0].arguments
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.outcome, row.cost_usd) == (7, "succeeded", 0)


def test_a_request_leaves_one_row_with_tokens_and_cost(team: Any, fake: FakeProvider, any_kind: str) -> None:
    use_fake(
        team.organization,
        fake,
        kind=any_kind,
        input_price=3,
        output_price=15,
        cache_read_price=Decimal("0.3"),
    )
    done = run(
        team,
        run_id=1,
        agent_id=2,
        conversation_id=3,
        requester_user_id=team.member.user.pk,
        process=Process.BRANCH,
    )
    row = LedgerEntry.objects.get()
    assert (row.run_id, row.agent_id, row.conversation_id, row.process) == (1, 2, 3, "branch")
    assert row.requester_user == team.member.user
    assert (row.provider_name, row.model_asked, row.model_answered) == ("Fake", "fake-1", "fake-1")
    assert (row.input_tokens, row.cache_read_tokens, row.output_tokens) == (100, 40, 20)
    assert row.cost_usd == Decimal("0.000612") == done.cost_usd
    assert row.first_token_ms is not None
    assert row.latency_ms >= row.first_token_ms
    assert (row.outcome, row.error, done.attempts) == ("succeeded", "", 1)


def test_an_unknown_price_makes_the_cost_unknown(team: Any, fake: FakeProvider) -> None:
    use_fake(team.organization, fake, input_price=3)
    assert run(team).cost_usd is None
    assert LedgerEntry.objects.get().cost_usd is None


def test_a_broken_history_is_mended_before_it_is_sent(team: Any, fake: FakeProvider, any_kind: str) -> None:
    use_fake(team.organization, fake, kind=any_kind)
    messages = (
        UserMessage("hi"),
        AssistantMessage("", (ToolCall("c1", "reply", "{}"),)),
        UserMessage("still there?"),
        ToolResult("lost", "skip", "late"),
    )
    run(team, ChatRequest(system=("S",), messages=messages, tools=(REPLY,)))
    seen = fake.requests[0].messages
    assert [m.call_id for m in seen if isinstance(m, ToolResult)] == ["c1"]
    assert any(isinstance(m, UserMessage) and "late" in m.text for m in seen)


@pytest.mark.django_db(transaction=True)
def test_no_connection_is_held_while_the_model_thinks(transactional_db: None, fake: FakeProvider) -> None:
    from tests.factories import make_team

    team = make_team("acme")
    use_fake(team.organization, fake)
    held: list[bool] = []
    context = CallContext(team.organization.pk, Process.CHANNEL)
    complete(
        context,
        HELLO,
        on_event=lambda e: held.append(connection.connection is not None),
        cancel=CancelToken(),
    )
    assert held
    assert not any(held)


def test_a_warm_call_costs_one_query(
    team: Any, fake: FakeProvider, django_assert_num_queries: Any, caches_kept: None
) -> None:
    use_fake(team.organization, fake)
    run(team)
    with django_assert_num_queries(3):
        # The row, between the savepoint of the test's own transaction and its release.
        run(team)
