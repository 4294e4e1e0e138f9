"""Changes by people and agents to what is known. Each keeps what was there before, and who changed it."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput
from accounts.models import Role
from accounts.services import audit
from memory import hooks, queries
from memory.models import Association, Audience, Memory, Source
from memory.services import checks
from memory.services.postings import index_memories
from memory.services.saving import connect, embed_into, save_memory
from memory.services.versions import drop_postings, keep_before, revive
from memory.types import Author, HeardBy, Provenance, Saved

WRITE = "memory:write"


def create_memory(
    actor: Actor,
    *,
    agent_id: int,
    type: str,
    content: str,
    heard_by: HeardBy,
    importance: float | None = None,
    pinned: bool = False,
    about_id: int | None = None,
    even_if_similar: bool = False,
) -> Saved:
    """Enter a memory by hand, for an audience the actor belongs to."""
    actor.check_scope(WRITE)
    _check_may_speak_for(actor, heard_by)
    saved = save_memory(
        organization_id=actor.organization.pk,
        agent_id=agent_id,
        type=type,
        content=content,
        heard_by=heard_by,
        provenance=Provenance(source=Source.PERSON),
        author=Author(user=actor.user),
        importance=importance,
        pinned=pinned,
        about_id=about_id,
        even_if_similar=even_if_similar,
    )
    if saved.created and saved.memory is not None:
        note(actor, "created", saved.memory, audience=str(heard_by.audience))
    return saved


def edit_memory(
    actor: Actor,
    memory_id: int,
    *,
    content: str | None = None,
    type: str | None = None,
    importance: float | None = None,
    pinned: bool | None = None,
    reason: str = "",
) -> Memory:
    """Correct a memory. The old text, and who changed it, are kept. No change writes nothing.

    A person's correction of what came from outside may give it any type: the person answers for it.
    """
    memory = get_for_change(actor, memory_id)
    changes: dict[str, object] = {}
    if content is not None and (checked := checks.check_content(content)) != memory.content:
        changes |= {"content": checked, "digest": checks.digest_of(checked)}
    if type is not None and (kind := checks.check_type(type, trusted=True)) != memory.type:
        if "human" in (kind, memory.type):
            raise InvalidInput("A profile stays a profile, and nothing else becomes one.", field="type")
        changes["type"] = kind
    if importance is not None and importance != memory.importance:
        changes["importance"] = checks.check_share(importance, field="importance", default=0)
    if pinned is not None and pinned != memory.pinned:
        changes["pinned"] = pinned
    if not changes:
        return memory
    if not memory.trusted and {"content", "type"} & set(changes):
        changes["trusted"] = True
    vector = None
    if "content" in changes:
        vector = Memory(content=str(changes["content"]))
        embed_into(vector)
    with transaction.atomic():
        row = _write(memory, changes, "edited", Author(user=actor.user), reason, vector)
        note(actor, "edited", row, fields=sorted(set(changes) - {"digest"}))
    return row


def _write(
    memory: Memory,
    changes: dict[str, object],
    action: str,
    author: Author,
    reason: str,
    vector: Memory | None = None,
) -> Memory:
    """Write the changes, and what was there before; `vector` carries the embedding of a new text."""
    with transaction.atomic():
        row = _lock(memory)
        names = (name for name in changes if name != "digest")
        edit = keep_before(row, action, author, *names, reason=reason)
        for name, value in changes.items():
            setattr(row, name, value)
        if vector is not None:
            row.embedding, row.embedder = vector.embedding, vector.embedder
        row.updated_at = timezone.now()
        written = {*changes, "updated_at", *(("embedding", "embedder") if vector is not None else ())}
        try:
            with transaction.atomic():
                row.save(update_fields=written)
        except IntegrityError as error:
            raise Conflict("Another memory says the same already.") from error
        index_memories([row.pk])
        if "audience" in changes:
            for withdrawn in hooks.on_withdrawn:
                withdrawn(row)
        elif "content" in changes:
            for edited in hooks.on_edited:
                edited(row, author, edit.pk)
    return row


def forget_memory(actor: Actor, memory_id: int, *, reason: str = "") -> Memory:
    """Take a memory out of recall; its row stays and can be restored. Forgetting twice changes nothing."""
    memory = get_for_change(actor, memory_id, live=False)
    with transaction.atomic():
        row = forget(memory, author=Author(user=actor.user), reason=reason)
        if memory.forgotten_at is None:
            note(actor, "forgotten", row)
    return row


def forget(memory: Memory, *, author: Author, reason: str = "") -> Memory:
    with transaction.atomic():
        row = _lock(memory)
        if row.forgotten_at is None:
            keep_before(row, "forgotten", author, reason=reason)
            row.forgotten_at = timezone.now()
            row.save(update_fields=["forgotten_at"])
            drop_postings([row.pk])
            for withdrawn in hooks.on_withdrawn:
                withdrawn(row)
    return row


def restore_memory(actor: Actor, memory_id: int) -> Memory:
    """Bring a forgotten memory back. Raises Conflict if another says the same, or took its place, by now."""
    memory = get_for_change(actor, memory_id, live=False)
    with transaction.atomic():
        row = _lock(memory)
        if row.superseded_at is not None:
            raise Conflict("A newer memory took its place.")
        if row.forgotten_at is not None:
            keep_before(row, "restored", Author(user=actor.user))
            revive(row)
            note(actor, "restored", row)
    return row


def associate(
    actor: Actor, source_id: int, target_id: int, *, relation: str, weight: float = 0.5
) -> Association:
    """Draw an edge between two memories of one agent; drawn again, it takes the new weight."""
    kind = checks.check_relation(relation)
    weight = checks.check_share(weight, field="weight", default=0.5)
    source, target = get_for_change(actor, source_id), get_for_change(actor, target_id)
    if source.pk == target.pk or source.agent_id != target.agent_id:
        raise InvalidInput("An edge joins two memories of one agent.", field="target_id")
    with transaction.atomic():
        connect(source, target.pk, kind, weight)
        note(actor, "associated", source, target_id=target.pk, relation=str(kind))
    return Association.objects.get(source=source, target=target, relation=kind)


def dissociate(actor: Actor, source_id: int, target_id: int, *, relation: str) -> bool:
    """Remove an edge; tell whether there was one."""
    source, target = get_for_change(actor, source_id), get_for_change(actor, target_id)
    kind = checks.check_relation(relation)
    with transaction.atomic():
        removed, _ = Association.objects.filter(source=source, target=target, relation=kind).delete()
        if removed:
            note(actor, "dissociated", source, target_id=target.pk, relation=str(kind))
    return removed > 0


def change_audience(actor: Actor, memory_id: int, heard_by: HeardBy, *, reason: str = "") -> Memory:
    """Let others hear a memory, or fewer. Audited.

    Opening it to the organization takes a moderator; opening what one person said in private takes that person.
    """
    memory = get_for_change(actor, memory_id)
    if memory.reach == heard_by.reach:
        return memory
    checks.check_audience(actor.organization.pk, heard_by)
    _check_may_speak_for(actor, heard_by)
    before = {"audience": memory.audience, "reach": memory.reach}
    changes: dict[str, object] = {
        "audience": heard_by.audience,
        "audience_conversation_id": heard_by.conversation_id,
        "audience_person_id": heard_by.person_id,
    }
    with transaction.atomic():
        row = _write(memory, changes, "audience", Author(user=actor.user), reason)
        row.refresh_from_db(fields=["reach"])
        audit.record(
            actor,
            actor.organization,
            "memory.audience_changed",
            f"memory {memory.pk}",
            before=before,
            after={"audience": str(heard_by.audience), "reach": heard_by.reach},
            reason=reason,
        )
    return row


def get_for_change(actor: Actor, memory_id: int, *, live: bool = True) -> Memory:
    """Return a memory the actor may hear and change: the organization's only as a moderator."""
    actor.check_scope(WRITE)
    memory = queries.get_memory(actor, memory_id)
    if memory.audience == Audience.ORGANIZATION and not actor.has_level(Role.MODERATOR):
        raise Forbidden("What everyone knows is changed by moderators.")
    if live and not memory.is_live:
        raise Conflict("This memory is no longer in use.")
    return memory


def _check_may_speak_for(actor: Actor, heard_by: HeardBy) -> None:
    """Raise unless the actor belongs to the audience; for the organization, unless they moderate it."""
    checks.check_audience(actor.organization.pk, heard_by)
    if heard_by.audience == Audience.ORGANIZATION:
        actor.check_level(Role.MODERATOR)
    elif heard_by.reach not in queries.readable_reaches(actor):
        raise Forbidden("You are not among those who would hear it.")


def note(actor: Actor, what: str, memory: Memory, **detail: object) -> None:
    """Leave an audit entry. It never holds what the memory says: administrators read the trail."""
    audit.record(actor, actor.organization, f"memory.{what}", f"memory {memory.pk}", **detail)


def _lock(memory: Memory) -> Memory:
    return Memory.objects.select_for_update(no_key=True).get(pk=memory.pk)
