"""What a memory may say, and who may be told: checked before anything is stored."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from accounts.errors import InvalidInput, NotFound
from accounts.models import Person
from memory.errors import UntrustedSource
from memory.importance import BASE
from memory.models import Audience, IngestedFile, Memory, MemoryType, Relation
from memory.types import HeardBy
from messaging.models import Conversation, Message

MAX_CONTENT_BYTES = 50_000
HARMLESS = (MemoryType.FACT, MemoryType.EVENT, MemoryType.OBSERVATION)
"""What may be learned from outside without a person: nothing that tells the agent who it is or what to do."""


def check_content(content: str) -> str:
    content = content.replace("\x00", "").encode(errors="ignore").decode().strip()
    if not content:
        raise InvalidInput("A memory must say something.", field="content")
    if len(content.encode()) > MAX_CONTENT_BYTES:
        raise InvalidInput(f"A memory has at most {MAX_CONTENT_BYTES:,} bytes.", field="content")
    return content


def check_type(type: str, *, trusted: bool) -> MemoryType:
    try:
        kind = MemoryType(type)
    except ValueError:
        raise InvalidInput(f"There is no memory type {type}.", field="type") from None
    if not trusted and kind not in HARMLESS:
        raise UntrustedSource(f"What came from outside cannot become a {kind} by itself.")
    return kind


def check_share(value: float | None, *, field: str, default: float) -> float:
    """Return a number from 0 to 1."""
    if value is None:
        return default
    if not 0 <= value <= 1:
        raise InvalidInput(f"The {field} is a number from 0 to 1.", field=field)
    return round(float(value), 6)  # The database's arithmetic refuses numbers that are all but nothing.


def check_importance(value: float | None, kind: MemoryType) -> float:
    return check_share(value, field="importance", default=BASE[kind])


def check_relation(relation: str) -> Relation:
    try:
        return Relation(relation)
    except ValueError:
        raise InvalidInput(f"There is no relation {relation}.", field="relation") from None


def check_audience(organization_id: int, heard_by: HeardBy) -> None:
    """Raise unless the audience is whole and belongs to the organization."""
    if heard_by.audience == Audience.CONVERSATION:
        check_conversation(organization_id, heard_by.conversation_id)
    elif heard_by.audience == Audience.PERSON:
        check_person(organization_id, heard_by.person_id)


def check_conversation(organization_id: int, conversation_id: int | None) -> None:
    if (
        not conversation_id
        or not Conversation.objects.filter(pk=conversation_id, organization_id=organization_id).exists()
    ):
        raise NotFound("There is no such conversation.")


def check_person(organization_id: int, person_id: int | None) -> None:
    if not person_id or not Person.objects.filter(pk=person_id, organization_id=organization_id).exists():
        raise NotFound("There is no such person.")


def check_message(organization_id: int, message_id: int | None) -> None:
    if not message_id or not Message.objects.filter(pk=message_id, organization_id=organization_id).exists():
        raise NotFound("There is no such message.")


def check_file(organization_id: int, file_id: int) -> None:
    if not IngestedFile.objects.filter(pk=file_id, organization_id=organization_id).exists():
        raise NotFound("There is no such file.")


def lock_memories(organization_id: int, agent_id: int, ids: Collection[int]) -> dict[int, Memory]:
    """Return the live memories with these ids, locked in the order of their ids; raises NotFound if one is missing."""
    if not ids:
        return {}
    rows = Memory.objects.select_for_update(no_key=True).filter(
        pk__in=set(ids),
        organization_id=organization_id,
        agent_id=agent_id,
        forgotten_at=None,
        superseded_at=None,
    )
    found = {memory.pk: memory for memory in rows.order_by("pk")}
    if len(found) < len(set(ids)):
        raise NotFound("There is no such memory.")
    return found


def digest_of(content: str) -> str:
    """Return what is equal for texts that differ in case and white space only."""
    plain = re.sub(r"\s+", " ", content).strip().casefold()
    return hashlib.sha256(plain.encode()).hexdigest()
