from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import NotFound
from agents.cortex import profile, queries, runner
from agents.cortex.claims import Due
from agents.models import Agent, CortexJob, Profile
from agents.presets import PRESETS
from agents.services.agents import update_agent
from llm.clients import scripted
from llm.clients.scripted import ScriptedModel, call, fail, say
from llm.errors import AuthenticationFailed
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from llm.services.routing import forget_routing
from tests.agents.conftest import Engine
from tests.factories import make_team

GOOD = call(
    "write_profile", display_name="Spacebot", status_line="Answers\nquestions", bio="I answer. I am calm."
)


@pytest.fixture
def model(engine: Engine) -> Any:
    """A model for the cortex, and texts to introduce."""
    organization = engine.team.organization
    entry = ModelEntry.objects.create(
        organization=organization,
        provider=Provider.objects.get(organization=organization),
        name="cortex-script",
    )
    Route.objects.create(organization=organization, process="cortex", entry=entry)
    forget_routing(organization.pk)
    Agent.objects.filter(pk=engine.team.agent.pk).update(identity="You answer questions of the team.")
    return lambda *steps: engine.script("cortex", list(steps))


def look(engine: Engine) -> CortexJob:
    agent = engine.team.agent
    CortexJob.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert runner.run_one(Due(agent.organization_id, agent.pk, "profile"))
    return CortexJob.objects.get(agent=agent, name="profile")


def test_a_profile_is_written_once_for_each_version_of_the_texts(engine: Engine, model: Any) -> None:
    asked: ScriptedModel = model(GOOD, GOOD)
    for _ in range(3):
        look(engine)
    assert len(asked.requests) == 1
    assert "answer questions of the team" in str(asked.requests[0].messages)
    row = Profile.objects.get()
    assert (row.agent_id, row.status_line, row.model) == (
        engine.team.agent.pk,
        "Answers questions",
        "cortex-script",
    )
    update_agent(engine.team.admin, engine.team.agent.pk, role="You also plan.")
    look(engine)
    look(engine)
    assert len(asked.requests) == 2
    assert LedgerEntry.objects.filter(process="cortex").count() == 2
    assert queries.find_profile(engine.team.member, engine.team.agent.pk) == Profile.objects.get()


def test_what_does_not_belong_to_the_texts_asks_nobody(engine: Engine, model: Any) -> None:
    asked = model(GOOD, GOOD)
    look(engine)
    update_agent(engine.team.admin, engine.team.agent.pk, settings={"branch_limit_s": 60})
    look(engine)
    assert len(asked.requests) == 1


def test_an_agent_as_its_preset_made_it_asks_nobody(engine: Engine, model: Any) -> None:
    asked = model(GOOD)
    preset = PRESETS["general"]
    Agent.objects.filter(pk=engine.team.agent.pk).update(
        preset=preset.key,
        tagline=preset.tagline,
        soul=preset.soul,
        identity=preset.identity,
        role=preset.role,
    )
    assert look(engine).result["state"] == "its preset introduces it"
    assert len(asked.requests) == 0
    update_agent(engine.team.admin, engine.team.agent.pk, soul="You like boats.")
    look(engine)
    assert len(asked.requests) == 1


def test_without_a_configured_model_nobody_is_asked(engine: Engine) -> None:
    Agent.objects.update(identity="texts")
    ModelEntry.objects.all().delete()
    forget_routing(engine.team.organization.pk)
    assert look(engine).result["state"] == "no model is configured"
    assert LedgerEntry.objects.count() == 0


@pytest.mark.parametrize(
    "answer",
    [
        say("I am Spacebot."),
        call("write_profile", display_name="x" * 81, status_line="x", bio="x"),
        call("write_profile", display_name="Spacebot"),
        call("other_tool", x=1),
        fail(AuthenticationFailed("no")),
    ],
)
def test_an_answer_that_cannot_be_used_stores_nothing_and_backs_off(
    engine: Engine, model: Any, answer: scripted.Scripted
) -> None:
    model(answer)
    job = look(engine)
    assert job.failures == 1
    assert not Profile.objects.exists()


def test_after_five_tries_it_is_left_until_the_texts_change(engine: Engine, model: Any) -> None:
    asked = model(*[say("no")] * profile.MOST_TRIES, GOOD)
    for _ in range(8):
        look(engine)
    assert len(asked.requests) == profile.MOST_TRIES
    update_agent(engine.team.admin, engine.team.agent.pk, role="You also plan.")
    look(engine)
    assert Profile.objects.count() == 1


def test_a_pass_that_was_taken_over_while_the_model_wrote_stores_nothing(engine: Engine, model: Any) -> None:
    def slow(request: Any) -> scripted.Scripted:
        CortexJob.objects.update(fence=99)
        return GOOD

    model(slow)
    look(engine)
    assert not Profile.objects.exists()


def test_the_profile_of_another_organization_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        queries.find_profile(make_team("third").owner, engine.team.agent.pk)
