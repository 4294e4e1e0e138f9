"""What people choose for an agent and for one conversation."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Forbidden, InvalidInput, NotFound
from agents.presets import PRESETS
from agents.services.agents import apply_preset
from agents.services.conversation_settings import choose_model
from llm.models import ModelEntry, Provider
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from tests.factories import Team


@pytest.fixture
def chat(team: Team) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm")


def model(team: Team, **fields: Any) -> ModelEntry:
    provider, _ = Provider.objects.get_or_create(
        organization=team.organization, name="House", kind="openai_chat"
    )
    return ModelEntry.objects.create(
        organization=team.organization, provider=provider, name="small", **fields
    )


def test_a_conversation_gets_a_model_of_its_own_and_loses_it(team: Team, chat: Conversation) -> None:
    Conversation.objects.filter(pk=chat.pk).update(settings={"other": 1})
    entry = model(team)
    for _ in range(2):
        assert choose_model(team.member, chat.pk, model_id=entry.pk).settings == {
            "other": 1,
            "model": entry.pk,
        }
    for _ in range(2):
        assert choose_model(team.member, chat.pk, model_id=None).settings == {"other": 1}


def test_a_model_that_is_off_or_of_others_cannot_be_chosen(
    team: Team, rivals: Team, chat: Conversation
) -> None:
    with pytest.raises(InvalidInput):
        choose_model(team.member, chat.pk, model_id=model(team, enabled=False).pk)
    with pytest.raises(NotFound):
        choose_model(team.member, chat.pk, model_id=model(rivals).pk)
    chat.refresh_from_db()
    assert chat.settings == {}


def test_who_does_not_take_part_chooses_nothing(team: Team, rivals: Team, chat: Conversation) -> None:
    for actor in (team.owner, rivals.owner):
        with pytest.raises(NotFound):
            choose_model(actor, chat.pk, model_id=None)


def test_a_preset_overwrites_the_texts_alone(team: Team) -> None:
    team.agent.settings = {"branch_limit_s": 20}
    team.agent.save()
    for _ in range(2):
        agent = apply_preset(team.admin, team.agent.pk, preset="research")
        agent.refresh_from_db()
        assert (agent.name, agent.settings) == ("Spacebot", {"branch_limit_s": 20})
        assert (agent.preset, agent.soul) == ("research", PRESETS["research"].soul)


def test_a_preset_is_refused_to_members_strangers_and_when_unknown(team: Team, rivals: Team) -> None:
    with pytest.raises(Forbidden):
        apply_preset(team.member, team.agent.pk, preset="research")
    with pytest.raises(NotFound):
        apply_preset(rivals.admin, team.agent.pk, preset="research")
    with pytest.raises(InvalidInput):
        apply_preset(team.admin, team.agent.pk, preset="nonsense")
    team.agent.refresh_from_db()
    assert team.agent.soul == ""
