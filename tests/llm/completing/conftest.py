"""What tests of `complete` share: no pauses, each kind of provider, and a second one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from llm.clients import pool
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.rows import STYLES as KINDS
from llm.services import calls


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(calls, "FIRST_PAUSE_S", 0.01)
    cache.clear()
    yield
    pool.close_all()


@pytest.fixture(params=sorted(KINDS))
def any_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def second() -> Iterator[FakeProvider]:
    with FakeProvider(lambda request: FakeReply(text="From the second.")) as found:
        yield found
