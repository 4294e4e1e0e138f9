from __future__ import annotations

import pytest

from messaging.adapters.base import AccountConfig, Adapter, Target
from messaging.adapters.fake import FakeAdapter, FakePlatform
from messaging.errors import DeliveryError
from tests.messaging.adapters.contract import AdapterContract


class TestFake(AdapterContract):
    @pytest.fixture
    def adapter(self) -> Adapter:
        FakePlatform("contract")
        return FakeAdapter(
            AccountConfig(1, 1, "default", {"server": "contract"}, read_secret=lambda name: "")
        )

    def test_it_refuses_what_a_real_platform_refuses(self, adapter: Adapter) -> None:
        for text in ("", "x" * 101):
            with pytest.raises(DeliveryError) as caught:
                adapter.send_text(Target("room"), text, key="k")
            assert caught.value.permanent
