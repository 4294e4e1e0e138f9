from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import Person
from memory import types
from memory.listeners import Listeners
from memory.models import Memory
from memory.recall import Recalled, recall
from memory.services.saving import save_memory
from memory.types import HeardBy, Saved


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


@dataclass
class Knowledge:
    """What one team's agent knows, with short ways to save and recall."""

    team: Any

    @property
    def shelf(self) -> dict[str, int]:
        return {"organization_id": self.team.organization.pk, "agent_id": self.team.agent.pk}

    def save(
        self, content: str, *, heard_by: HeardBy = types.ORGANIZATION, type: str = "fact", **more: Any
    ) -> Saved:
        return save_memory(**self.shelf, type=type, content=content, heard_by=heard_by, **more)

    def know(self, content: str, **more: Any) -> Memory:
        saved = self.save(content, **more)
        assert saved.memory is not None
        assert saved.created
        return saved.memory

    def recall(self, query: str, *people: Person, **more: Any) -> list[Recalled]:
        listeners = more.pop("listeners", None) or Listeners.of(person.pk for person in people)
        return recall(query, **self.shelf, listeners=listeners, **more)

    def person(self, name: str) -> Person:
        return Person.objects.get(organization=self.team.organization, user=getattr(self.team, name).user)


@pytest.fixture
def known(team: Any) -> Knowledge:
    return Knowledge(team)


@pytest.fixture
def rivals_known(rivals: Any) -> Knowledge:
    return Knowledge(rivals)


@pytest.fixture
def mia(known: Knowledge) -> Person:
    return known.person("member")


@pytest.fixture
def otto(known: Knowledge) -> Person:
    return known.person("other_member")


Contents = Callable[[list[Recalled]], list[str]]


@pytest.fixture
def contents() -> Contents:
    return lambda found: [each.content for each in found]
