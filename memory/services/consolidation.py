"""Merging memories that say the same, and taking a merge back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.boundaries import reach
from accounts.errors import Conflict, InvalidInput, NotFound
from memory.models import Association, Consolidation, InboxItem, Memory, Relation
from memory.services import checks
from memory.services.postings import index_memories
from memory.services.saving import connect, embed_into, lock_shelf
from memory.services.versions import keep_before, revive, supersede
from memory.types import Author


@dataclass(frozen=True)
class Merge:
    """`absorbed` go up into the survivor, which says `content` from then on."""

    survivor_id: int
    absorbed_ids: frozenset[int]
    content: str


def consolidate(
    *,
    organization_id: int,
    agent_id: int,
    merges: Sequence[Merge],
    author: Author,
    within: Callable[[list[Consolidation]], object] = lambda done: None,
) -> list[Consolidation]:
    """Merge, all or nothing, in one transaction.

    What is merged shares its type, its audience and, for profiles, its person. The survivor takes the highest
    importance, the edges of the absorbed and an edge to each; it is trusted only if all were. A run that merges the
    very same again gets what it did the first time. `within` is called in the transaction with what was done.
    Raises NotFound when a memory is gone, InvalidInput when two cannot be merged.
    """
    texts = [checks.check_content(merge.content) for merge in merges]
    _check_apart(merges)
    vectors = [Memory(content=text) for text in texts]
    for vector in vectors:
        embed_into(vector)
    ids = {pk for merge in merges for pk in (merge.survivor_id, *merge.absorbed_ids)}
    reach("merge.before")
    with transaction.atomic():
        lock_shelf(organization_id, agent_id)
        if done := _done_before(organization_id, merges, author):
            return done
        known = checks.lock_memories(organization_id, agent_id, ids)
        for merge in merges:
            _check_alike(known[merge.survivor_id], [known[pk] for pk in merge.absorbed_ids])
        made = [_merge(merge, known, vector, author) for merge, vector in zip(merges, vectors, strict=True)]
        within(made)
        reach("merge.written")
    reach("merge.committed")
    return made


def undo_consolidation(organization_id: int, consolidation_id: int, *, author: Author) -> Memory:
    """Give back the survivor's old text, the absorbed memories and their edges. Undoing twice changes nothing.

    Raises Conflict if the survivor was changed since, or is heard by others: they never heard the old text.
    """
    with transaction.atomic():
        done = Consolidation.objects.select_for_update().filter(
            pk=consolidation_id, organization_id=organization_id
        )
        merged = done.first()
        if merged is None:
            raise NotFound("There is no such merge.")
        survivor = Memory.objects.select_for_update(no_key=True).get(pk=merged.survivor_id)
        if merged.undone_at is not None:
            return survivor
        before = merged.before
        is_same = survivor.digest == before["merged_digest"] and survivor.reach == before.get("reach")
        if not survivor.is_live or not is_same:
            raise Conflict("The memory was changed after the merge.")
        keep_before(survivor, "merge undone", author, "content", "importance")
        for field, value in before["survivor"].items():
            setattr(survivor, field, value)
        survivor.digest, survivor.updated_at = checks.digest_of(survivor.content), timezone.now()
        survivor.embedding, survivor.embedder = None, ""
        survivor.save()
        index_memories([survivor.pk])
        Association.objects.filter(pk__in=before["edges_made"]).delete()
        for absorbed in Memory.objects.select_for_update(no_key=True).filter(pk__in=before["absorbed"]):
            revive(absorbed)
        _redraw(organization_id, before["edges_moved"])
        merged.undone_at = timezone.now()
        merged.save(update_fields=["undone_at"])
    return survivor


def _done_before(organization_id: int, merges: Sequence[Merge], author: Author) -> list[Consolidation]:
    """Return what this run did already, if it was exactly this; it was all of it, or nothing."""
    if author.run_id is None:
        return []
    rows = Consolidation.objects.filter(
        organization_id=organization_id,
        run_id=author.run_id,
        undone_at=None,
        survivor__in=[merge.survivor_id for merge in merges],
    )
    done = {(row.survivor_id, tuple(row.before["absorbed"])): row for row in rows}
    asked = [(merge.survivor_id, tuple(sorted(merge.absorbed_ids))) for merge in merges]
    return [done[pair] for pair in asked] if all(pair in done for pair in asked) else []


def _check_apart(merges: Sequence[Merge]) -> None:
    named = [pk for merge in merges for pk in (merge.survivor_id, *merge.absorbed_ids)]
    if len(named) != len(set(named)):
        raise InvalidInput("Each memory can take part in one merge only.", field="merges")
    if any(not merge.absorbed_ids for merge in merges):
        raise InvalidInput("A merge absorbs at least one memory.", field="merges")


def _check_alike(survivor: Memory, absorbed: list[Memory]) -> None:
    for other in absorbed:
        if other.type != survivor.type:
            raise InvalidInput("Only memories of one type can be merged.", field="merges")
        if other.reach != survivor.reach:
            raise InvalidInput("Only memories for the same audience can be merged.", field="merges")
        if survivor.type == "human" and other.about_id != survivor.about_id:
            raise InvalidInput("Profiles of two people cannot be merged.", field="merges")


def _merge(merge: Merge, known: dict[int, Memory], vector: Memory, author: Author) -> Consolidation:
    survivor, absorbed = known[merge.survivor_id], [known[pk] for pk in sorted(merge.absorbed_ids)]
    fields = ("content", "importance", "pinned", "trusted")
    kept = {field: getattr(survivor, field) for field in fields}
    keep_before(survivor, "merged", author, "content", "importance")
    for other in absorbed:
        supersede(other)
    Memory.objects.filter(pk__in=merge.absorbed_ids).update(superseded_by=survivor)
    everyone = [survivor, *absorbed]
    survivor.content, survivor.digest = checks.check_content(merge.content), checks.digest_of(merge.content)
    survivor.importance = max(memory.importance for memory in everyone)
    survivor.pinned = any(memory.pinned for memory in everyone)
    survivor.trusted = all(memory.trusted for memory in everyone)
    survivor.embedding, survivor.embedder = vector.embedding, vector.embedder
    survivor.updated_at = timezone.now()
    survivor.save()
    index_memories([survivor.pk])
    moved, made = _move_edges(survivor, merge.absorbed_ids)
    InboxItem.objects.filter(first__in=known, second__in=known, resolved_at=None).filter(
        Q(first__in=merge.absorbed_ids) | Q(second__in=merge.absorbed_ids)
    ).update(resolved_at=timezone.now(), resolution="merged", resolved_by=author.user)
    return Consolidation.objects.create(
        organization_id=survivor.organization_id,
        survivor=survivor,
        before={
            "survivor": kept,
            "merged_digest": survivor.digest,
            "reach": survivor.reach,
            "absorbed": sorted(merge.absorbed_ids),
            "edges_moved": moved,
            "edges_made": made,
        },
        user=author.user,
        run_id=author.run_id,
    )


def _move_edges(survivor: Memory, absorbed_ids: frozenset[int]) -> tuple[list[dict[str, Any]], list[int]]:
    """Hang the edges of the absorbed onto the survivor; return what was removed, and the ids of what was drawn."""
    old = Association.objects.filter(Q(source__in=absorbed_ids) | Q(target__in=absorbed_ids))
    removed: list[dict[str, Any]] = [
        dict(edge) for edge in old.values("source_id", "target_id", "relation", "weight")
    ]
    old.delete()
    before = set(_edges_of(survivor))
    for edge in removed:
        source = survivor.pk if edge["source_id"] in absorbed_ids else edge["source_id"]
        target = survivor.pk if edge["target_id"] in absorbed_ids else edge["target_id"]
        if source != target:
            Association.objects.get_or_create(
                source_id=source,
                target_id=target,
                relation=edge["relation"],
                defaults={"organization_id": survivor.organization_id, "weight": edge["weight"]},
            )
    for other in absorbed_ids:
        connect(survivor, other, Relation.UPDATES, 1.0)
    return removed, sorted(set(_edges_of(survivor)) - before)


def _edges_of(memory: Memory) -> list[int]:
    return list(Association.objects.filter(Q(source=memory) | Q(target=memory)).values_list("pk", flat=True))


def _redraw(organization_id: int, edges: list[dict[str, Any]]) -> None:
    ends = {edge[end] for edge in edges for end in ("source_id", "target_id")}
    there = set(Memory.objects.filter(pk__in=ends).values_list("pk", flat=True))
    for edge in edges:
        if {edge["source_id"], edge["target_id"]} <= there:
            Association.objects.get_or_create(
                source_id=edge["source_id"],
                target_id=edge["target_id"],
                relation=edge["relation"],
                defaults={"organization_id": organization_id, "weight": edge["weight"]},
            )
