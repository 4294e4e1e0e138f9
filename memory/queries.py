"""Reads. A user may read what they may hear: the organization's, of conversations they take part in, their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.db.models import Count, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from memory.embedders import current_embedder
from memory.listeners import Listeners, audible_reaches, listeners_for
from memory.models import Association, Audience, Consolidation, InboxItem, Memory, MemoryEdit
from memory.types import HeardBy

MAX_PAGE = 200
MAX_GRAPH = 500
MAX_EDGES = 5_000


def readable_reaches(actor: Actor) -> list[int]:
    """Return the `reach` of everything the actor may hear."""
    return audible_reaches(actor.organization.pk, listeners_for(actor))


def memories_of(actor: Actor) -> QuerySet[Memory]:
    """Return every memory the actor may read, forgotten and superseded ones too."""
    found = Memory.objects.filter(organization=actor.organization, reach__in=readable_reaches(actor))
    return found.defer("embedding", "words")


def get_memory(actor: Actor, memory_id: int) -> Memory:
    memory = memories_of(actor).filter(pk=memory_id).first()
    if memory is None:
        raise NotFound("There is no such memory.")
    return memory


def get_audible(organization_id: int, agent_id: int, listeners: Listeners, memory_id: int) -> Memory:
    """Return a live memory of the agent that all listeners may hear: the door for runs."""
    memory = Memory.objects.filter(
        pk=memory_id,
        organization_id=organization_id,
        agent_id=agent_id,
        reach__in=audible_reaches(organization_id, listeners),
        forgotten_at=None,
        superseded_at=None,
    ).first()
    if memory is None:
        raise NotFound("There is no such memory.")
    return memory


def count_by_agent(actor: Actor) -> dict[int, int]:
    """Return how many live memories of each agent the actor may read."""
    live = memories_of(actor).filter(forgotten_at=None, superseded_at=None)
    return dict(live.order_by().values_list("agent_id").annotate(count=Count("pk")))


def count_shelf(organization_id: int, agent_id: int) -> dict[str, Any]:
    """Count what an agent knows, for those who run it: numbers alone, whoever may hear what they count."""
    live = Memory.objects.filter(
        organization_id=organization_id, agent_id=agent_id, forgotten_at=None, superseded_at=None
    )
    edges = Association.objects.filter(organization_id=organization_id, source__agent_id=agent_id)
    open_items = InboxItem.objects.filter(
        organization_id=organization_id, agent_id=agent_id, resolved_at=None
    )
    by_type = live.order_by("type").values_list("type").annotate(count=Count("pk"))
    return {
        "memories": live.count(),
        "by_type": dict(by_type),
        "without_vector": live.exclude(embedder=current_embedder().name).count(),
        "edges": edges.count(),
        "to_decide": open_items.count(),
    }


def list_edits(actor: Actor, memory_id: int) -> list[MemoryEdit]:
    """Return what a memory said before and who changed it, newest first.

    What it said while it was for others is theirs: opening a memory does not open its past.
    """
    memory = get_memory(actor, memory_id)
    readable, reach, shown = set(readable_reaches(actor)), memory.reach, list[MemoryEdit]()
    for edit in memory.edits.select_related("user"):
        if edit.action == "audience":
            reach = _reach_before(edit)
        if reach in readable:
            shown.append(edit)
    return shown


def _reach_before(edit: MemoryEdit) -> int:
    before = edit.before
    heard_by = HeardBy(
        Audience(before["audience"]), before["audience_conversation_id"], before["audience_person_id"]
    )
    return heard_by.reach


def list_edges(actor: Actor, memory_ids: Collection[int]) -> list[Association]:
    """Return the edges at these memories of which the actor may read both ends."""
    readable = memories_of(actor).values("pk")
    at = Q(source__in=memory_ids) | Q(target__in=memory_ids)
    return list(
        Association.objects.filter(
            at, organization=actor.organization, source__in=readable, target__in=readable
        ).order_by("pk")[:2_000]
    )


def list_graph(
    actor: Actor, *, agent_id: int, around: int | None = None, limit: int = 100
) -> tuple[list[Memory], list[Association]]:
    """Return what an agent knows, most important first, with the edges among it; `around` one memory: its neighbours.

    Each memory has `ties`: how many edges it has to others that the actor may read.
    """
    readable = memories_of(actor).filter(agent_id=agent_id, forgotten_at=None, superseded_at=None)
    found = readable
    if around is not None:
        beside = Association.objects.filter(organization=actor.organization)
        found = found.filter(
            Q(pk=get_memory(actor, around).pk)
            | Q(pk__in=beside.filter(source=around).values("target"))
            | Q(pk__in=beside.filter(target=around).values("source"))
        )
    memories = list(found.order_by("-pinned", "-importance", "-pk")[: max(1, min(limit, MAX_GRAPH))])
    shown = {memory.pk for memory in memories}
    edges = list(
        Association.objects.filter(
            Q(source__in=shown) | Q(target__in=shown),
            source__in=readable.values("pk"),
            target__in=readable.values("pk"),
        ).order_by("-weight", "pk")[:MAX_EDGES]
    )
    ties = Counter(end for edge in edges for end in (edge.source_id, edge.target_id))
    for memory in memories:
        memory.ties = ties[memory.pk]  # type: ignore[attr-defined]
    return memories, [edge for edge in edges if edge.source_id in shown and edge.target_id in shown]


def list_inbox(
    actor: Actor, *, agent_id: int | None = None, before_id: int | None = None, limit: int = 50
) -> list[InboxItem]:
    """Return open contradictions and merges of live memories both of which the actor may read, newest first."""
    readable = memories_of(actor).filter(forgotten_at=None, superseded_at=None).values("pk")
    found = InboxItem.objects.filter(
        organization=actor.organization, resolved_at=None, first__in=readable, second__in=readable
    )
    if agent_id is not None:
        found = found.filter(agent_id=agent_id)
    if before_id is not None:
        found = found.filter(pk__lt=before_id)
    return list(found.select_related("first", "second").order_by("-pk")[: max(1, min(limit, MAX_PAGE))])


def get_inbox_item(actor: Actor, item_id: int) -> InboxItem:
    """Return one item whose both sides the actor may read."""
    readable = memories_of(actor).values("pk")
    item = InboxItem.objects.filter(
        pk=item_id, organization=actor.organization, first__in=readable, second__in=readable
    ).first()
    if item is None:
        raise NotFound("There is no such item.")
    return item


def list_consolidations(
    actor: Actor,
    *,
    agent_id: int | None = None,
    survivor_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Consolidation]:
    """Return merges into memories the actor may read, newest first."""
    found = Consolidation.objects.filter(
        organization=actor.organization, survivor__in=memories_of(actor).values("pk")
    )
    if agent_id is not None:
        found = found.filter(survivor__agent_id=agent_id)
    if survivor_id is not None:
        found = found.filter(survivor=survivor_id)
    if before_id is not None:
        found = found.filter(pk__lt=before_id)
    return list(found.select_related("user").order_by("-pk")[: max(1, min(limit, MAX_PAGE))])


def get_consolidation(actor: Actor, consolidation_id: int) -> Consolidation:
    readable = memories_of(actor).values("pk")
    found = Consolidation.objects.filter(
        pk=consolidation_id, organization=actor.organization, survivor__in=readable
    )
    merged = found.first()
    if merged is None:
        raise NotFound("There is no such merge.")
    return merged
