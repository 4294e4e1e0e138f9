"""What callers hand to memory and get back."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from memory.models import Audience, Memory, Source


@dataclass(frozen=True)
class HeardBy:
    """An audience: the organization, those who take part in a conversation, or one person."""

    audience: Audience
    conversation_id: int | None = None
    person_id: int | None = None

    @property
    def reach(self) -> int:
        if self.audience == Audience.CONVERSATION:
            return self.conversation_id or 0
        return -(self.person_id or 0) if self.audience == Audience.PERSON else 0


ORGANIZATION = HeardBy(Audience.ORGANIZATION)


def conversation(conversation_id: int) -> HeardBy:
    return HeardBy(Audience.CONVERSATION, conversation_id=conversation_id)


def person(person_id: int) -> HeardBy:
    return HeardBy(Audience.PERSON, person_id=person_id)


@dataclass(frozen=True)
class Provenance:
    """Where a memory comes from. What came from outside is not `trusted`."""

    source: Source = Source.CONVERSATION
    source_name: str = ""
    trusted: bool = True
    conversation_id: int | None = None
    message_id: int | None = None
    person_id: int | None = None
    run_id: int | None = None
    file_id: int | None = None


@dataclass(frozen=True)
class Author:
    """Who changes something: a user, a run, or the system."""

    user: User | None = None
    run_id: int | None = None


SYSTEM = Author()


@dataclass(frozen=True)
class Similar:
    memory: Memory
    similarity: float


@dataclass(frozen=True)
class Saved:
    """Without `created`, nothing was stored: `memory` says the very same, or `similar` nearly the same.

    Save again with `even_if_similar`, with `supersedes`, or leave it.
    """

    memory: Memory | None
    created: bool
    similar: tuple[Similar, ...] = ()
