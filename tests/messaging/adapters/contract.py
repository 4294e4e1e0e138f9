"""What every adapter must do. Subclass it in the adapter's own test module and provide the two fixtures."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest

from messaging.adapters.base import Adapter, BaseAdapter, Target
from messaging.adapters.registry import ADAPTERS
from messaging.errors import Unsupported

OPERATIONS: dict[str, Callable[[Adapter], object]] = {
    "typing": lambda adapter: adapter.show_typing(Target("room")),
    "reactions": lambda adapter: adapter.add_reaction(Target("room"), "m1", "👍"),
    "edits": lambda adapter: adapter.edit_text(Target("room"), "m1", "new"),
}
DONE_BY_EVENT = {"typing", "reactions"}


class AdapterContract:
    """`adapter` is connected to a far side that accepts everything."""

    @pytest.fixture
    def adapter(self) -> Adapter:
        raise NotImplementedError

    def test_its_name_is_short_and_its_limit_leaves_room_for_text(self, adapter: Adapter) -> None:
        assert adapter.platform.isidentifier()
        assert len(adapter.platform) <= 32
        assert adapter.capabilities.text_limit >= 100

    def test_what_it_cannot_do_it_refuses_and_what_it_can_it_does(self, adapter: Adapter) -> None:
        for name, operate in OPERATIONS.items():
            able = getattr(adapter.capabilities, name)
            if adapter.capabilities.delivered_by_event and name in DONE_BY_EVENT:
                able = False
            if able:
                operate(adapter)
                continue
            with pytest.raises(Unsupported):
                operate(adapter)

    def test_a_sent_chunk_has_the_platforms_id(self, adapter: Adapter) -> None:
        if adapter.capabilities.delivered_by_event:
            with pytest.raises(Unsupported):
                adapter.send_text(Target("room"), "hello", key="k1")
            return
        assert adapter.send_text(Target("room"), "hello", key="k1").platform_id

    def test_the_same_key_again_is_the_same_message_where_it_says_so(self, adapter: Adapter) -> None:
        if not adapter.capabilities.deduplicates or adapter.capabilities.delivered_by_event:
            pytest.skip("the platform does not know keys")
        first = adapter.send_text(Target("room"), "hello", key="k1")
        assert adapter.send_text(Target("room"), "hello", key="k1") == first

    def test_listening_ends_when_it_is_cancelled(self, adapter: Adapter) -> None:
        assert inspect.iscoroutinefunction(type(adapter).listen)
        if adapter.capabilities.delivered_by_event:
            return

        async def connect_and_leave() -> None:
            ready = asyncio.Event()

            async def receive(message: object) -> None:
                raise AssertionError("nobody said anything")

            task = asyncio.create_task(adapter.listen(receive, on_ready=ready.set))
            await asyncio.wait_for(ready.wait(), timeout=25)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, timeout=25)

        asyncio.run(connect_and_leave())

    def test_it_refuses_through_the_base_class_or_overrides(self, adapter: Adapter) -> None:
        assert isinstance(adapter, BaseAdapter)
        assert ADAPTERS.get(adapter.platform, type(adapter)) is type(adapter)
