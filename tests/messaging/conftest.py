from __future__ import annotations

from typing import Any

import pytest

from messaging.models import Conversation, Participant
from messaging.services.conversations import start_conversation


@pytest.fixture
def conversation(team: Any) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm")


@pytest.fixture
def mia(team: Any, conversation: Conversation) -> Any:
    return Participant.objects.get(conversation=conversation).person
