"""Edges between memories that are alike, and duplicates put before people. No model is asked.

A pass goes on where the one before it stopped, in the order in which memories were changed. It works on one memory at a
time, in one transaction, and what it writes follows from the two texts alone: running it again, or twice at once, changes
nothing. Only memories of one agent and one audience are tied, so that no edge tells anyone of a memory they may not hear,
nor lifts what others hear. Profiles and identity are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.database import release_connection
from memory.embedders import current_embedder
from memory.models import Association, InboxKind, Memory, MemoryType, Relation
from memory.services.saving import NEARLY_THE_SAME, ask_people, vector_text

ALIKE = 0.85
MOST_NEIGHBOURS = 10
MOST_EDGES = 100
MOST_LOOKED_AT = 200
CONSIDERED = 40
SETTLED = timedelta(minutes=2)
"""A save takes its time stamp before it embeds and commits; younger rows could hide older ones that are still on their way."""
LEFT_ALONE = (MemoryType.HUMAN, MemoryType.IDENTITY)
SAME_WEIGHT = 1e-6


@dataclass(frozen=True)
class Mark:
    """How far passes have come: the last memory they looked at, and whose vectors they compared."""

    at: datetime | None = None
    memory_id: int = 0
    embedder: str = ""

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Mark:
        at = stored.get("at")
        return cls(
            datetime.fromisoformat(at) if at else None, stored.get("id", 0), stored.get("embedder", "")
        )

    def store(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat() if self.at else None,
            "id": self.memory_id,
            "embedder": self.embedder,
        }


@dataclass
class Pass:
    """What a pass did. `is_behind`: there is more to look at; `waits`: the next memory has no vector yet."""

    mark: Mark
    looked_at: int = 0
    drawn: int = 0
    removed: int = 0
    offered: int = 0
    is_behind: bool = False
    waits: bool = False


def associate_new(
    organization_id: int,
    agent_id: int,
    mark: Mark,
    *,
    most_edges: int = MOST_EDGES,
    settled: timedelta = SETTLED,
) -> Pass:
    """Look at the memories changed since `mark`, until about `most_edges` edges were drawn.

    After a change of the embedder everything is looked at once more.
    """
    embedder = current_embedder().name
    if mark.embedder != embedder:
        mark = Mark(embedder=embedder)
    done = Pass(mark)
    for memory_id, updated_at, made_by in _changed(organization_id, agent_id, mark, timezone.now() - settled):
        if done.drawn >= most_edges or done.looked_at >= MOST_LOOKED_AT:
            done.is_behind = True
            break
        if made_by != embedder:
            done.waits = True
            break
        _tie(memory_id, embedder, done)
        done.looked_at += 1
        done.mark = Mark(updated_at, memory_id, embedder)
    release_connection()
    return done


def weight_for(likeness: float) -> float:
    """Return 0.5 at the least likeness that counts, 1 for the same text."""
    share = (min(likeness, 1.0) - ALIKE) / (1 - ALIKE)
    return round(0.5 + 0.5 * max(0.0, share), 6)


def _changed(
    organization_id: int, agent_id: int, mark: Mark, until: datetime
) -> list[tuple[int, datetime, str]]:
    rows = Memory.objects.filter(
        organization_id=organization_id,
        agent_id=agent_id,
        forgotten_at=None,
        superseded_at=None,
        updated_at__lte=until,
    ).exclude(type__in=LEFT_ALONE)
    if mark.at is not None:
        rows = rows.filter(Q(updated_at__gt=mark.at) | Q(updated_at=mark.at, pk__gt=mark.memory_id))
    ordered = rows.order_by("updated_at", "pk").values_list("pk", "updated_at", "embedder")
    return list(ordered[: MOST_LOOKED_AT + 1])


@transaction.atomic
def _tie(memory_id: int, embedder: str, done: Pass) -> None:
    """Bring the automatic edges of one memory in line with what it says now."""
    memory = Memory.objects.filter(pk=memory_id).exclude(embedding=None).first()
    if memory is None:
        return
    alike = _nearest(memory)
    automatic = list(
        Association.objects.filter(Q(source=memory) | Q(target=memory), automatic=True).order_by("pk")
    )
    known = {_other(edge, memory_id) for edge in automatic}
    rows = _lock([memory_id, *alike, *known])
    locked = rows.get(memory_id)
    if locked is None or not locked.is_live or locked.embedder != embedder:
        return  # It changed meanwhile, and will be looked at again if it is to be.
    memory = locked
    likeness = _likeness(memory, rows.keys() - {memory_id})
    partners = {pk: value for pk, value in likeness.items() if value >= ALIKE and _may_tie(memory, rows[pk])}
    stale = [edge.pk for edge in automatic if _is_stale(memory, rows.get(_other(edge, memory_id)), partners)]
    done.removed += Association.objects.filter(pk__in=stale).delete()[0]
    tied = _tied(memory_id, partners)
    nearest = sorted(partners, key=lambda pk: (-partners[pk], pk))[:MOST_NEIGHBOURS]
    for other in nearest:
        done.drawn += _draw(memory, other, weight_for(partners[other]), tied.get(other, []))
        if _is_duplicate(memory, rows[other], partners[other], tied.get(other, [])):
            done.offered += ask_people(InboxKind.MERGE, memory, other, similarity=partners[other])


def _nearest(memory: Memory) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM memory_nearest(%s, %s, ARRAY[%s]::bigint[], %s, %s::vector, %s, NULL, NULL, NULL, NULL, NULL, 100)"
            " WHERE likeness >= %s AND id <> %s",
            [
                memory.organization_id, memory.agent_id, memory.reach, memory.embedder,
                vector_text(memory.embedding), CONSIDERED, ALIKE, memory.pk,
            ],
        )  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def _lock(ids: Iterable[int]) -> dict[int, Memory]:
    """Hold the rows, so that none of them is edited or erased under the edges that are about to be drawn."""
    rows = Memory.objects.select_for_update(no_key=True).defer("embedding", "words").filter(pk__in=set(ids))
    return {row.pk: row for row in rows.order_by("pk")}


def _likeness(memory: Memory, ids: Iterable[int]) -> dict[int, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, 1 - (m.embedding <=> n.embedding) FROM memory_memory AS m, memory_memory AS n"
            " WHERE n.id = %s AND m.id = ANY (%s) AND m.embedder = n.embedder",
            [memory.pk, list(ids)],
        )
        return dict(cursor.fetchall())


def _may_tie(memory: Memory, other: Memory) -> bool:
    return (
        other.is_live
        and other.agent_id == memory.agent_id
        and other.organization_id == memory.organization_id
        and other.reach == memory.reach
        and other.type not in LEFT_ALONE
    )


def _is_stale(memory: Memory, other: Memory | None, partners: dict[int, float]) -> bool:
    """A retired memory keeps its edges, which nobody sees, in case it comes back."""
    if other is None or other.reach != memory.reach:
        return True
    return other.is_live and other.embedder == memory.embedder and other.pk not in partners


def _tied(memory_id: int, others: Iterable[int]) -> dict[int, list[Association]]:
    """Return every edge between the memory and the others, whoever drew it."""
    ids = list(others)
    found: dict[int, list[Association]] = {}
    for edge in Association.objects.filter(
        Q(source=memory_id, target__in=ids) | Q(target=memory_id, source__in=ids)
    ):
        found.setdefault(_other(edge, memory_id), []).append(edge)
    return found


def _draw(memory: Memory, other: int, weight: float, edges: list[Association]) -> int:
    """Draw the edge from the younger to the older, unless somebody tied the two; return how many were drawn or changed."""
    if not edges:
        source, target = max(memory.pk, other), min(memory.pk, other)
        Association.objects.create(
            organization_id=memory.organization_id, source_id=source, target_id=target,
            relation=Relation.RELATED_TO, weight=weight, automatic=True,
        )  # fmt: skip
        return 1
    changed = [edge for edge in edges if edge.automatic and abs(edge.weight - weight) > SAME_WEIGHT]
    return Association.objects.filter(pk__in=[edge.pk for edge in changed]).update(weight=weight)


def _is_duplicate(memory: Memory, other: Memory, likeness: float, edges: list[Association]) -> bool:
    """What somebody called a contradiction is decided as one."""
    return (
        likeness >= NEARLY_THE_SAME
        and other.type == memory.type
        and other.trusted == memory.trusted
        and all(edge.relation != Relation.CONTRADICTS for edge in edges)
    )


def _other(edge: Association, memory_id: int) -> int:
    return edge.target_id if edge.source_id == memory_id else edge.source_id
