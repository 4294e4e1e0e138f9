"""Who is present when something is said. A memory may be told only if all of them may hear it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.actor import Actor
from accounts.models import Person
from memory.models import EVERYONE


@dataclass(frozen=True)
class Listeners:
    """The people present, and the conversation in which it is said: all who take part in it listen too.

    Nobody at all hears nothing. `everyone` is who works for the whole organization and speaks to nobody in particular: it
    hears what everyone may hear, and no more.
    """

    person_ids: frozenset[int] = frozenset()
    conversation_id: int | None = None
    everyone: bool = False

    @classmethod
    def of(cls, person_ids: Iterable[int] = (), *, conversation_id: int | None = None) -> Listeners:
        return cls(frozenset(person_ids), conversation_id)


def listeners_for(actor: Actor) -> Listeners:
    """Return the actor alone."""
    people = Person.objects.filter(organization=actor.organization, user=actor.user)
    return Listeners.of(people.values_list("pk", flat=True))


def audible_reaches(organization_id: int, listeners: Listeners) -> list[int]:
    """Return every `Memory.reach` that all listeners may hear, for `reach__in`."""
    if listeners.everyone:
        return [EVERYONE]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT memory_audible(%s, %s::bigint[], %s)",
            [organization_id, sorted(listeners.person_ids), listeners.conversation_id],
        )
        reaches: list[int] = cursor.fetchone()[0]
    return reaches
