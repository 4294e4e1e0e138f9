"""Memories as pages show them: who may hear them in words, and the way to where they were learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.models import Person, Role
from agents.models import Run
from agents.queries import readable_runs
from memory.ingestion.queries import files_of
from memory.models import Audience, IngestedFile, Memory
from messaging.models import Conversation
from messaging.queries import conversations_of


@dataclass(frozen=True)
class Row:
    """`place`, `run` and `file` are there for those who may look into them."""

    memory: Memory
    heard_by: str
    may_change: bool
    place: Conversation | None
    run: Run | None
    file: IngestedFile | None

    @property
    def percent(self) -> int:
        return round(self.memory.importance * 100)


def describe(actor: Actor, memories: Sequence[Memory]) -> list[Row]:
    """Four queries, however many memories there are."""
    asked = {memory.conversation_id for memory in memories if memory.conversation_id}
    asked |= {memory.audience_conversation_id for memory in memories if memory.audience_conversation_id}
    places = {each.pk: each for each in conversations_of(actor).filter(pk__in=asked)} if asked else {}
    made_by = {memory.run_id for memory in memories if memory.run_id}
    runs = {each.pk: each for each in readable_runs(actor).filter(pk__in=made_by)} if made_by else {}
    read = {memory.file_id for memory in memories if memory.file_id}
    files = {each.pk: each for each in files_of(actor).filter(pk__in=read)} if read else {}
    return [
        Row(
            memory=memory,
            heard_by=audience_words(actor, memory.audience, places.get(memory.audience_conversation_id or 0)),
            may_change=memory.audience != Audience.ORGANIZATION or actor.has_level(Role.MODERATOR),
            place=places.get(memory.conversation_id or 0),
            run=runs.get(memory.run_id or 0),
            file=files.get(memory.file_id or 0),
        )
        for memory in memories
    ]


def audience_words(actor: Actor, audience: str, place: Conversation | None) -> str:
    """Say who may hear it, to someone who may."""
    if audience == Audience.ORGANIZATION:
        return f"Everyone in {actor.organization.name}"
    if audience == Audience.PERSON:
        return "Only you"
    return (
        f"Those in “{place.title or 'a conversation without a title'}”"
        if place
        else "Those in one conversation"
    )


def own_person_id(actor: Actor) -> int:
    person = Person.objects.filter(organization=actor.organization, user=actor.user).first()
    if person is None:
        raise NotFound("You have not spoken with an agent here yet.")
    return person.pk
