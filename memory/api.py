"""The shapes in which memories go over HTTP; the routes are in `agents/api/`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.actor import Actor
from accounts.api_basics import Id, Strict
from accounts.errors import InvalidInput
from memory.ingestion.queries import files_of
from memory.models import (
    Association,
    Audience,
    Consolidation,
    InboxItem,
    Memory,
    MemoryEdit,
    MemoryType,
    Relation,
)
from memory.recall import Recalled
from memory.types import ORGANIZATION, HeardBy, Saved, conversation, person
from messaging.queries import conversations_of

Share = Annotated[float, Field(ge=0, le=1)]
Content = Annotated[str, Field(min_length=1, max_length=50_000)]
Reason = Annotated[str, Field(max_length=300)]


class MemoryOut(Schema):
    """`conversation_id`, `message_id`, `run_id` and `file_id` tell where it was learned, to those who may look there."""

    id: int
    agent_id: int
    type: MemoryType
    content: str
    importance: float
    pinned: bool
    audience: Audience
    audience_conversation_id: int | None
    audience_person_id: int | None
    about_id: int | None
    source: str
    source_name: str
    trusted: bool
    person_id: int | None
    conversation_id: int | None
    message_id: int | None
    run_id: int | None
    file_id: int | None
    created_at: datetime
    updated_at: datetime
    valid_from: datetime
    forgotten_at: datetime | None
    superseded_at: datetime | None
    superseded_by_id: int | None


class EdgeOut(Schema):
    source_id: int
    target_id: int
    relation: Relation
    weight: float


class EditOut(Schema):
    """`before` holds what the changed fields said; `user` is null for an agent's own change."""

    action: str
    before: dict[str, Any]
    user: str | None
    reason: str
    created_at: datetime


class MemoryWhole(MemoryOut):
    edges: list[EdgeOut]
    edits: list[EditOut]


class RecalledOut(Schema):
    id: int
    type: MemoryType
    content: str
    score: float
    importance: float
    audience: Audience
    pinned: bool
    trusted: bool
    valid_from: datetime


class SimilarOut(Schema):
    memory: MemoryOut
    similarity: float


class SavedOut(Schema):
    """Without `created` nothing was stored: `memory` says the very same, or `similar` nearly the same."""

    created: bool
    memory: MemoryOut | None
    similar: list[SimilarOut]


class NodeOut(Schema):
    """`ties` counts edges to all memories you may read, shown or not."""

    id: int
    type: MemoryType
    content: str
    importance: float
    pinned: bool
    audience: Audience
    ties: int


class GraphOut(Schema):
    nodes: list[NodeOut]
    edges: list[EdgeOut]


class InboxOut(Schema):
    id: int
    agent_id: int
    kind: Literal["contradiction", "merge"]
    first: MemoryOut
    second: MemoryOut
    similarity: float | None
    created_at: datetime
    resolution: str


class AudienceIn(Strict):
    audience: Audience
    conversation_id: Id | None = None
    person_id: Id | None = None

    def heard_by(self) -> HeardBy:
        """Return the audience. Raises InvalidInput unless exactly what it needs is named."""
        wanted = {Audience.CONVERSATION: "conversation_id", Audience.PERSON: "person_id"}.get(self.audience)
        for field in ("conversation_id", "person_id"):
            if (getattr(self, field) is None) == (field == wanted):
                needs = "needs" if field == wanted else "takes no"
                raise InvalidInput(f"The audience {self.audience} {needs} {field}.", field=field)
        if self.conversation_id is not None:
            return conversation(self.conversation_id)
        return person(self.person_id) if self.person_id is not None else ORGANIZATION


class MemoryIn(AudienceIn):
    agent_id: Id
    type: MemoryType
    content: Content
    importance: Share | None = None
    pinned: bool = False
    about_id: Id | None = None
    even_if_similar: bool = False


class MemoryPatch(Strict):
    content: Content | None = None
    type: MemoryType | None = None
    importance: Share | None = None
    pinned: bool | None = None
    reason: Reason = ""


class ReasonIn(Strict):
    reason: Reason = ""


class AudienceChange(AudienceIn):
    reason: Reason = ""


class EdgeIn(Strict):
    target_id: Id
    relation: Relation
    weight: Share = 0.5


class MergeIn(Strict):
    """`absorbed_ids` go up into the survivor, which says `content` from then on."""

    survivor_id: Id
    absorbed_ids: Annotated[list[Id], Field(min_length=1, max_length=50)]
    content: Content


class MergesIn(Strict):
    agent_id: Id
    merges: Annotated[list[MergeIn], Field(min_length=1, max_length=50)]


class MergedOut(Schema):
    """A merge; `undone_at` is set once it was taken back."""

    id: int
    survivor_id: int
    absorbed_ids: list[int]
    user: str | None
    run_id: int | None
    created_at: datetime
    undone_at: datetime | None


class ResolutionIn(Strict):
    resolution: Literal["keep_first", "keep_second", "merge", "keep_both"]
    content: Annotated[str, Field(max_length=50_000)] = ""


def memory_payloads(actor: Actor, memories: Collection[Memory]) -> list[dict[str, Any]]:
    """Return memories as `MemoryOut`. Two queries, for the conversations and files the actor may look into."""
    learned = {memory.conversation_id for memory in memories if memory.conversation_id}
    read = {memory.file_id for memory in memories if memory.file_id}
    places: set[int | None] = set()
    files: set[int | None] = set()
    if learned:
        places.update(conversations_of(actor).filter(pk__in=learned).values_list("pk", flat=True))
    if read:
        files.update(files_of(actor).filter(pk__in=read).values_list("pk", flat=True))
    return [
        _memory_payload(
            memory, place_seen=memory.conversation_id in places, file_seen=memory.file_id in files
        )
        for memory in memories
    ]


def memory_payload(actor: Actor, memory: Memory) -> dict[str, Any]:
    return memory_payloads(actor, [memory])[0]


PLACES = frozenset({"conversation_id", "message_id", "run_id"})


def _memory_payload(memory: Memory, *, place_seen: bool, file_seen: bool) -> dict[str, Any]:
    hidden = (frozenset() if place_seen else PLACES) | (frozenset() if file_seen else {"file_id"})
    return {name: None if name in hidden else getattr(memory, name) for name in MemoryOut.model_fields}


def edge_payload(edge: Association) -> dict[str, Any]:
    return {name: getattr(edge, name) for name in EdgeOut.model_fields}


def edit_payload(edit: MemoryEdit) -> dict[str, Any]:
    return {
        "action": edit.action,
        "before": edit.before,
        "user": str(edit.user) if edit.user else None,
        "reason": edit.reason,
        "created_at": edit.created_at,
    }


def recalled_payload(found: Recalled) -> dict[str, Any]:
    return {name: getattr(found, name) for name in RecalledOut.model_fields}


def node_payload(memory: Memory) -> dict[str, Any]:
    return {name: getattr(memory, name) for name in NodeOut.model_fields}


def saved_payload(actor: Actor, saved: Saved) -> dict[str, Any]:
    similar = memory_payloads(actor, [each.memory for each in saved.similar])
    return {
        "created": saved.created,
        "memory": memory_payload(actor, saved.memory) if saved.memory else None,
        "similar": [
            {"memory": memory, "similarity": each.similarity}
            for memory, each in zip(similar, saved.similar, strict=True)
        ],
    }


def merged_payload(merged: Consolidation) -> dict[str, Any]:
    fields = ("survivor_id", "run_id", "created_at", "undone_at")
    return {
        **{name: getattr(merged, name) for name in fields},
        "id": merged.pk,
        "absorbed_ids": merged.before["absorbed"],
        "user": str(merged.user) if merged.user else None,
    }


def inbox_payload(actor: Actor, item: InboxItem) -> dict[str, Any]:
    first, second = memory_payloads(actor, [item.first, item.second])
    fields = ("id", "agent_id", "kind", "similarity", "created_at", "resolution")
    return {**{name: getattr(item, name) for name in fields}, "first": first, "second": second}
