from __future__ import annotations

from typing import Any

import pytest

from messaging.adapters.fake import FakeAdapter, FakePlatform
from messaging.adapters.registry import ADAPTERS
from messaging.models import Conversation, Participant, PlatformAccount
from messaging.services.conversations import start_conversation


@pytest.fixture
def conversation(team: Any) -> Conversation:
    return start_conversation(team.member, agent_id=team.agent.pk, kind="dm")


@pytest.fixture
def mia(team: Any, conversation: Conversation) -> Any:
    return Participant.objects.get(conversation=conversation).person


@pytest.fixture
def fake_room(team: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[FakePlatform, Conversation]:
    monkeypatch.setitem(ADAPTERS, "fake", FakeAdapter)
    far_side = FakePlatform("files")
    account = PlatformAccount.objects.create(
        organization=team.organization, platform="fake", settings={"server": "files"}
    )
    room = Conversation.objects.create(
        organization=team.organization, account=account, agent_id=team.agent.pk, external_id="1", kind="dm"
    )
    return far_side, room
