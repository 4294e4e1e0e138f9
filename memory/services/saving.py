"""Saving a memory: near-duplicates are offered, updates supersede, contradictions go to people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from accounts.errors import InvalidInput
from accounts.logs import get_logger
from memory import hooks
from memory.embedders import Vector, current_embedder
from memory.errors import EmbedderUnavailable, UntrustedSource
from memory.models import Association, InboxItem, InboxKind, Memory, MemoryType, Relation
from memory.services import checks
from memory.services.postings import index_memories
from memory.services.versions import supersede
from memory.types import Author, HeardBy, Provenance, Saved, Similar

log = get_logger(__name__)

NEARLY_THE_SAME = 0.95
MAX_SIMILAR = 5
DUPLICATE_EFFORT = 40
"""How many candidates the vector index keeps in mind: what is nearly the same is hard to miss."""
LOCK_KIND = 7_301


def save_memory(
    *,
    organization_id: int,
    agent_id: int,
    type: str,
    content: str,
    heard_by: HeardBy,
    provenance: Provenance = Provenance(),  # noqa: B008  frozen
    author: Author = Author(),  # noqa: B008  frozen
    importance: float | None = None,
    pinned: bool = False,
    about_id: int | None = None,
    valid_from: datetime | None = None,
    supersedes: int | None = None,
    contradicts: Collection[int] = (),
    related: Collection[tuple[int, str, float]] = (),
    even_if_similar: bool = False,
) -> Saved:
    """Store one memory, with its words, vector and edges, in one transaction.

    Saying the very same again returns the first memory. If something nearly the same is known to the same audience,
    nothing is stored and it is offered instead, unless `even_if_similar`: then people are asked whether to merge.
    A profile (`human`) supersedes the one before it. `related` holds (memory, relation, weight).
    The text is embedded before the transaction begins; without an embedder that is made up for later.
    """
    content = checks.check_content(content)
    kind = checks.check_type(type, trusted=provenance.trusted)
    now = timezone.now()
    memory = Memory(
        organization_id=organization_id,
        agent_id=agent_id,
        type=kind,
        content=content,
        digest=checks.digest_of(content),
        importance=checks.check_importance(importance, kind),
        pinned=pinned,
        audience=heard_by.audience,
        audience_conversation_id=heard_by.conversation_id,
        audience_person_id=heard_by.person_id,
        about_id=about_id,
        source=provenance.source,
        source_name=provenance.source_name[:300],
        trusted=provenance.trusted,
        conversation_id=provenance.conversation_id,
        message_id=provenance.message_id,
        person_id=provenance.person_id,
        run_id=provenance.run_id,
        file_id=provenance.file_id,
        created_at=now,
        updated_at=now,
        valid_from=valid_from or now,
    )
    _check_references(memory, heard_by)
    embed_into(memory)
    with transaction.atomic():
        lock_shelf(organization_id, agent_id)
        if (
            memory.file_id is not None
        ):  # Under the lock, since a file that is removed takes what it taught along.
            checks.check_file(organization_id, memory.file_id)
        return _store(memory, heard_by, author, supersedes, contradicts, related, even_if_similar)


def embed_into(memory: Memory) -> None:
    """Set the vector of an unsaved text; leave it for later when the embedder does not answer."""
    embedder = current_embedder()
    try:
        memory.embedding, memory.embedder = embedder.embed([memory.content])[0], embedder.name
    except EmbedderUnavailable as error:
        log.warning("embedding_put_off", reason=str(error))
        memory.embedding, memory.embedder = None, ""


def _store(
    memory: Memory,
    heard_by: HeardBy,
    author: Author,
    supersedes: int | None,
    contradicts: Collection[int],
    related: Collection[tuple[int, str, float]],
    even_if_similar: bool,
) -> Saved:
    same = _find_same(memory, heard_by)
    if same is not None and same.pk != supersedes:
        return Saved(same, created=False)
    old = _profile_before(memory, heard_by) if memory.type == MemoryType.HUMAN else supersedes
    others = {*contradicts, *(other for other, _, _ in related)}
    known = checks.lock_memories(
        memory.organization_id, memory.agent_id, others | ({old} if old is not None else set())
    )
    replaced = known[old] if old is not None else None
    similar: list[Similar] = []
    if replaced is None:
        similar = find_similar(memory, heard_by.reach)
        if similar and not even_if_similar:
            return Saved(None, created=False, similar=tuple(similar))
    else:
        _check_may_replace(replaced, memory, heard_by)
        supersede(replaced)
    memory.save(force_insert=True)
    index_memories([memory.pk], fresh=True)
    if replaced is not None:
        Memory.objects.filter(pk=replaced.pk).update(superseded_by=memory)
        connect(memory, replaced.pk, Relation.UPDATES, 1.0)
    for other, relation, weight in related:
        connect(
            memory,
            other,
            checks.check_relation(relation),
            checks.check_share(weight, field="weight", default=0.5),
        )
    for other in contradicts:
        connect(memory, other, Relation.CONTRADICTS, 1.0)
        ask_people(InboxKind.CONTRADICTION, memory, other)
    for near in similar:
        ask_people(InboxKind.MERGE, memory, near.memory.pk, similarity=near.similarity)
    for saved in hooks.on_saved:
        saved(memory, replaced, author)
    if contradicts:
        for contradicted in hooks.on_contradicted:
            contradicted(memory, author)
    return Saved(memory, created=True, similar=tuple(similar))


def find_similar(memory: Memory, reach: int, *, at_least: float = NEARLY_THE_SAME) -> list[Similar]:
    """Return memories of the same type and audience that say nearly the same, most alike first."""
    if memory.embedding is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, likeness FROM memory_nearest(%s, %s, ARRAY[%s]::bigint[], %s, %s::vector, %s, NULL, NULL, NULL,"
            " NULL, NULL, %s) WHERE likeness >= %s AND id IS DISTINCT FROM %s ORDER BY likeness DESC",
            [
                memory.organization_id, memory.agent_id, reach, memory.embedder,
                vector_text(memory.embedding), 4 * MAX_SIMILAR, DUPLICATE_EFFORT, at_least, memory.pk,
            ],
        )  # fmt: skip
        alike: dict[int, float] = dict(cursor.fetchall())
    rows = Memory.objects.defer("embedding", "words").filter(type=memory.type).in_bulk(list(alike))
    return [Similar(rows[pk], likeness) for pk, likeness in alike.items() if pk in rows][:MAX_SIMILAR]


def vector_text(vector: Vector) -> str:
    """Return the vector as the database reads it."""
    return "[" + ",".join(f"{number:.7g}" for number in vector) + "]"


def connect(source: Memory, target_id: int, relation: Relation, weight: float) -> None:
    """Draw an edge; drawn again, it takes the new weight."""
    Association.objects.update_or_create(
        source=source,
        target_id=target_id,
        relation=relation,
        defaults={"organization_id": source.organization_id, "weight": weight, "automatic": False},
    )


def ask_people(kind: InboxKind, memory: Memory, other_id: int, *, similarity: float | None = None) -> bool:
    """Put a pair before people, once; tell whether it is new to them."""
    first, second = sorted((memory.pk, other_id))
    _, is_new = InboxItem.objects.get_or_create(
        kind=kind,
        first_id=first,
        second_id=second,
        defaults={
            "organization_id": memory.organization_id,
            "agent_id": memory.agent_id,
            "similarity": similarity,
        },
    )
    return is_new


def _check_references(memory: Memory, heard_by: HeardBy) -> None:
    organization_id = memory.organization_id
    checks.check_audience(organization_id, heard_by)
    if memory.type == MemoryType.HUMAN and memory.about_id is None:
        raise InvalidInput("A profile is about a person.", field="about_id")
    for person_id in {memory.about_id, memory.person_id} - {None}:
        checks.check_person(organization_id, person_id)
    if memory.conversation_id is not None:
        checks.check_conversation(organization_id, memory.conversation_id)
    if memory.message_id is not None:
        checks.check_message(organization_id, memory.message_id)


def _check_may_replace(old: Memory, new: Memory, heard_by: HeardBy) -> None:
    if old.trusted and not new.trusted:
        raise UntrustedSource("What came from outside cannot replace what was learned from people.")
    if old.reach != heard_by.reach:
        raise InvalidInput("A memory can be replaced only for the same audience.", field="supersedes")
    if old.type == MemoryType.HUMAN and new.type != MemoryType.HUMAN:
        raise InvalidInput("A profile can be replaced only by a profile.", field="supersedes")


def lock_shelf(organization_id: int, agent_id: int) -> None:
    """Let saves for one agent follow each other, so that each sees what the one before it stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashint8(%s::bigint # (%s::bigint << 32)))",
            [LOCK_KIND, agent_id, organization_id],
        )


# By the digest alone, then by the rest: without values at hand the planner would rather read the whole shelf.
SAME = """
SELECT id FROM (
    SELECT id, organization_id, agent_id, reach, type FROM memory_memory
    WHERE digest = %s AND forgotten_at IS NULL AND superseded_at IS NULL OFFSET 0) AS alike
WHERE organization_id = %s AND agent_id = %s AND reach = %s AND type = %s
"""


def _find_same(memory: Memory, heard_by: HeardBy) -> Memory | None:
    with connection.cursor() as cursor:
        cursor.execute(
            SAME,
            [memory.digest, memory.organization_id, memory.agent_id, heard_by.reach, str(memory.type)],
        )
        row = cursor.fetchone()
    return Memory.objects.get(pk=row[0]) if row else None


def _profile_before(memory: Memory, heard_by: HeardBy) -> int | None:
    before = Memory.objects.filter(
        organization_id=memory.organization_id,
        agent_id=memory.agent_id,
        reach=heard_by.reach,
        type=memory.type,
        about_id=memory.about_id,
        forgotten_at=None,
        superseded_at=None,
    )
    return next(iter(before.values_list("pk", flat=True)), None)
