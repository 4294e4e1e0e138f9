from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Run
from llm.clients.scripted import call
from tests.agents.conftest import Engine

MOST_STATEMENTS = 16


def test_a_turn_costs_few_statements(engine: Engine) -> None:
    engine.script("channel", lambda request: call("reply", content="ok"))
    engine.say("warm up")
    engine.settle()
    engine.say("hello")
    run = Run.objects.get(state="queued")
    with CaptureQueriesContext(connection) as captured:
        assert engine.execute(run)
    statements = [query["sql"].strip().split("\n")[0][:70] for query in captured]
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
    assert len(statements) > 5
