from __future__ import annotations

import pytest

from messaging.adapters.base import AccountConfig, Adapter
from messaging.adapters.webchat import WebChatAdapter
from tests.messaging.adapters.contract import AdapterContract


class TestWebChat(AdapterContract):
    @pytest.fixture
    def adapter(self) -> Adapter:
        return WebChatAdapter(AccountConfig(1, 1, "default", {}, read_secret=lambda name: ""))
