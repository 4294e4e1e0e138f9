from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Run
from llm.clients.scripted import call
from memory.types import ORGANIZATION
from messaging.models import Handling
from messaging.services.messages import append_inbound
from tests.agents.conftest import Engine
from tests.agents.working import happen, person_of, room_of

MOST_STATEMENTS = 16


def test_a_turn_costs_few_statements(engine: Engine, caches_kept: None) -> None:
    engine.script("channel", lambda request: call("reply", content="ok"))
    # Whatever there is to tell of what goes on around it, it is read in one statement with who takes part.
    happen(engine.team, "A worker is done", heard_by=ORGANIZATION)
    elsewhere = room_of(engine.team, person_of(engine.team, "member"), kind="dm", title="Elsewhere")
    append_inbound(elsewhere.pk, person=None, author_name="Mia", text="hi", handling=Handling.IGNORED)
    engine.say("warm up")
    engine.settle()
    engine.say("hello")
    run = Run.objects.get(state="queued")
    with CaptureQueriesContext(connection) as captured:
        assert engine.execute(run)
    statements = [query["sql"].strip().split("\n")[0][:70] for query in captured]
    assert sum("memory_audible" in query["sql"] for query in captured) == 1
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
    assert len(statements) > 5
