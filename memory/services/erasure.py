"""Erasing what is known of a person, and proving it by counting what is left.

Packages above add what they keep to `ERASERS`; what memory and messaging keep is here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import Identity, Person
from accounts.services import audit
from memory import hooks
from memory.models import Association, Consolidation, InboxItem, IndexedMessage, Memory, MemoryEdit, Posting
from memory.services.consolidation import undo_consolidation
from memory.services.editing import get_for_change, note
from memory.services.transcripts import reindex
from memory.types import SYSTEM
from messaging.services import erasure as messages


@dataclass(frozen=True)
class Eraser:
    """What one package keeps of a person: how to erase it, and how much of it there is."""

    name: str
    erase: Callable[[int, int], int]
    count: Callable[[int, int], int]


ERASERS: list[Eraser] = []
"""Each function takes (organization_id, person_id) and returns a number of rows."""


@dataclass
class Erased:
    """How many rows of each kind were erased, and how many were found afterwards: all of them 0."""

    erased: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        return not any(self.left.values())


def erase_person(organization_id: int, person_id: int) -> Erased:
    """Erase memories about, for and from the person, with edits, edges and vectors; their messages' text and index;
    and their name. A merge that took up such a memory is taken back first. One transaction; twice changes nothing.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(
            pk=person_id, organization_id=organization_id
        )
        result = Erased()
        gone = _erase_memories(organization_id, person_id)
        result.erased["memories"] = len(gone)
        result.erased["messages"] = _erase_messages(organization_id, person_id)
        for eraser in ERASERS:
            result.erased[eraser.name] = eraser.erase(organization_id, person_id)
        result.erased["identities"] = Identity.objects.filter(person=person).delete()[0]
        person.participations.all().delete()
        if person.display_name != (nameless := f"Erased person {person.pk}"):
            person.display_name, person.about, person.user = nameless, "", None
            person.save(update_fields=["display_name", "about", "user"])
            audit.record(None, person.organization, "person.erased", f"person {person.pk}", **result.erased)
    result.left = count_left(organization_id, person_id) | {"traces": _count_traces(organization_id, gone)}
    return result


def erase_memory(actor: Actor, memory_id: int) -> None:
    """Erase one memory for good, with its edits, edges and vector. What it was merged into stays, and keeps its text."""
    memory = get_for_change(actor, memory_id, live=False)
    with transaction.atomic():
        merges = Consolidation.objects.filter(organization=actor.organization)
        merges.filter(before__absorbed__contains=[memory.pk]).delete()
        note(actor, "erased", memory)
        memory.delete()


def count_left(organization_id: int, person_id: int) -> dict[str, int]:
    """Count what is known of the person."""
    counts = {
        "memories": _memories_of(organization_id, person_id).count(),
        "messages": messages.count_messages_of(organization_id, person_id),
        "index": IndexedMessage.objects.filter(organization_id=organization_id, speaker_id=person_id).count(),
        "identities": Identity.objects.filter(person_id=person_id).count(),
    }
    return counts | {eraser.name: eraser.count(organization_id, person_id) for eraser in ERASERS}


def _count_traces(organization_id: int, memory_ids: set[int]) -> int:
    """Count what is left of memories that are gone: words, edits, edges, questions to people, merges."""
    ids = list(memory_ids)
    merges = Consolidation.objects.filter(organization_id=organization_id).values_list("before", flat=True)
    return (
        Memory.objects.filter(pk__in=ids).count()
        + Posting.objects.filter(memory__in=ids).count()
        + MemoryEdit.objects.filter(memory__in=ids).count()
        + Association.objects.filter(Q(source__in=ids) | Q(target__in=ids)).count()
        + InboxItem.objects.filter(Q(first__in=ids) | Q(second__in=ids)).count()
        + sum(not memory_ids.isdisjoint(before["absorbed"]) for before in merges)
    )


def _memories_of(organization_id: int, person_id: int) -> QuerySet[Memory]:
    return Memory.objects.filter(
        Q(about=person_id) | Q(audience_person=person_id) | Q(person=person_id),
        organization_id=organization_id,
    )


def _erase_memories(organization_id: int, person_id: int) -> set[int]:
    ids = set(_memories_of(organization_id, person_id).values_list("pk", flat=True))
    for merged in Consolidation.objects.filter(organization_id=organization_id, undone_at=None).order_by(
        "-pk"
    ):
        if ids.isdisjoint(merged.before["absorbed"]) or merged.survivor_id in ids:
            continue
        try:
            with transaction.atomic():
                undo_consolidation(organization_id, merged.pk, author=SYSTEM)
        except Conflict:
            ids.add(merged.survivor_id)  # It was changed since and may repeat what must go.
    for merged in Consolidation.objects.filter(organization_id=organization_id):
        if not ids.isdisjoint(merged.before["absorbed"]):
            merged.survivor.edits.all().delete()
            merged.delete()
    for memory in Memory.objects.filter(pk__in=ids).defer("embedding", "words"):
        for withdrawn in hooks.on_withdrawn:
            withdrawn(memory)
    Memory.objects.filter(pk__in=ids).delete()
    return ids


def _erase_messages(organization_id: int, person_id: int) -> int:
    erased = messages.erase_messages_of(organization_id, person_id)
    indexed = IndexedMessage.objects.filter(organization_id=organization_id, speaker_id=person_id)
    sections = set(indexed.values_list("section_id", flat=True))
    indexed.delete()
    reindex(sections)
    return erased
