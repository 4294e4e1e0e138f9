"""What is worth an event, and in which words. Each joins the transaction of what it tells about.

The words go into prompts: one line, names and quotes as data, nothing from outside that nobody vouches for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agents.context.history import clean_name, one_line
from agents.context.knowledge import forget_empty
from agents.models import Checkpoint, EventType, Run, RunKind, WorkingEvent
from agents.services.events import record_event, withdraw
from llm.errors import (
    AuthenticationFailed,
    BadResponse,
    ModelNotFound,
    NotConfigured,
    ProviderUnavailable,
    RateLimited,
)
from memory.models import Audience, IngestedFile, Memory, MemoryType
from memory.types import ORGANIZATION, Author, HeardBy, person
from messaging.models import Conversation, Message
from tasks.models import Happening
from tasks.services.wakes.ringing import happened

if TYPE_CHECKING:
    from accounts.models import Person
    from agents.loop import Ending

LABELLED = re.compile(r"^\W*(outcome|decision|blocked on|constraint|deadline)\W*:", re.IGNORECASE)
LABELS = {
    "outcome": EventType.OUTCOME,
    "decision": EventType.DECISION,
    "blocked on": EventType.BLOCKED_ON,
    "constraint": EventType.CONSTRAINT,
    "deadline": EventType.DEADLINE_SET,
}
NOT_DONE = 0.8
TITLE = 80
PROVIDER_FAILURES = frozenset(
    error.__name__
    for error in (
        RateLimited, ProviderUnavailable, BadResponse, AuthenticationFailed, ModelNotFound, NotConfigured,
    )
)  # fmt: skip


def conversation_started(where: Conversation, message: Message) -> None:
    record_event(
        EventType.CONVERSATION_STARTED,
        f"{clean_name(message.author_name)} began a conversation",
        **_of(where),
        where=where,
        key=f"conversation{where.pk}.started",
        person_id=message.person_id,
    )


def person_joined(where: Conversation, who: Person) -> None:
    record_event(
        EventType.PERSON_JOINED,
        f"{clean_name(who.display_name)} joined the conversation",
        **_of(where),
        where=where,
        key=f"conversation{where.pk}.person{who.pk}",
        person_id=who.pk,
    )


def child_started(run: Run) -> None:
    """Tell of a worker; a branch is told when it concludes."""
    if run.kind == RunKind.WORKER:
        _of_run(run, EventType.WORKER_STARTED, f"Worker #{run.pk} began: {run.title}", key="started")


def child_ended(run: Run, ending: Ending, *, number: int) -> None:
    """Tell what a branch or worker reported; a label at its beginning says what kind of thing it is."""
    text = str(ending.result.get("text", ""))
    kind = EventType.WORKER_COMPLETED if run.kind == RunKind.WORKER else EventType.BRANCH_COMPLETED
    if run.kind == RunKind.BRANCH and (label := LABELLED.match(text)):
        kind = LABELS[label.group(1).lower()]
    words = f"{run.kind.capitalize()} #{run.pk} ({ending.outcome}), {one_line(run.title, TITLE)}: {text}"
    done = ending.outcome == "done"
    _of_run(run, kind, words, key=f"report{number}", detail=text, importance=None if done else NOT_DONE)


def reply_failed(run: Run, failure: dict[str, Any]) -> None:
    """Tell that a message could not be answered, in the words people were given."""
    trouble = failure.get("class") in PROVIDER_FAILURES
    kind = EventType.PROVIDER_TROUBLE if trouble else EventType.ERROR
    _of_run(run, kind, f"An answer failed: {failure.get('message', '')}", key="failed")


def checkpoint_made(row: Checkpoint) -> None:
    where = Conversation.objects.get(pk=row.conversation_id)
    record_event(
        EventType.CHECKPOINT_MADE,
        f"Messages {row.from_seq} to {row.to_seq} were summed up: {row.title}",
        **_of(where),
        where=where,
        key=f"checkpoint{row.pk}",
        run_id=row.run_id,
    )


def memory_saved(memory: Memory, replaced: Memory | None, author: Author) -> None:
    """Tell what was learned, to those who may hear the memory. What came from outside is left to recall."""
    forget_empty(memory.agent_id)
    if not memory.trusted or memory.type == MemoryType.HUMAN:
        return
    decision = memory.type == MemoryType.DECISION
    if replaced is not None:
        kind = EventType.DECISION_REVISED if decision else EventType.MEMORY_SAVED
        words = "Revised" if decision else "Learned anew"
    else:
        kind = EventType.DECISION if decision else EventType.MEMORY_SAVED
        words = "Decided" if decision else f"Learned ({memory.type})"
    _of_memory(memory, kind, f"{words}: {memory.content}", key="saved", author=author)


def memories_contradict(memory: Memory, author: Author) -> None:
    if memory.trusted:
        words = f"Contradicts what was known, people are to decide: {memory.content}"
        _of_memory(memory, EventType.CONTRADICTION, words, key="contradicts", author=author)


def memory_corrected(memory: Memory, author: Author, edit_id: int) -> None:
    """Tell that a person changed what is known. What the log said of it before goes."""
    memory_withdrawn(memory)
    if author.user is not None and memory.type != MemoryType.HUMAN:
        words = f"Corrected by {clean_name(str(author.user))}: {memory.content}"
        _of_memory(memory, EventType.USER_CORRECTION, words, key=f"edit{edit_id}", author=author)


def memory_withdrawn(memory: Memory) -> None:
    """Take what the log tells of a memory out of it: it was forgotten, or others may hear it now."""
    forget_empty(memory.agent_id)
    withdraw(WorkingEvent.objects.filter(memory_id=memory.pk))


def file_ingested(file: IngestedFile) -> None:
    count = file.memories
    record_event(
        EventType.FILE_INGESTED,
        f"The file “{clean_name(file.name)}” was read; it gave {count} {'memory' if count == 1 else 'memories'}",
        organization_id=file.organization_id,
        agent_id=file.agent_id,
        heard_by=person(file.audience_person_id) if file.audience_person_id else ORGANIZATION,
        key=f"file{file.pk}.{file.fence}",
    )
    if file.audience_person_id is None:
        happened(
            file.organization_id,
            Happening.FILE_INGESTED,
            key=f"file:{file.pk}",
            payload={"file": clean_name(file.name), "memories": count},
            agent_ids=[file.agent_id],
        )


def _of(where: Conversation) -> dict[str, Any]:
    return {"organization_id": where.organization_id, "agent_id": where.agent_id}


def _of_run(run: Run, kind: EventType, summary: str, *, key: str, **more: Any) -> None:
    if run.conversation is not None:
        record_event(
            kind,
            summary,
            organization_id=run.organization_id,
            agent_id=run.agent_id,
            where=run.conversation,
            key=f"run{run.pk}.{key}",
            run_id=run.pk,
            person_id=run.requester_person_id,
            **more,
        )


def _of_memory(memory: Memory, kind: EventType, summary: str, *, key: str, author: Author) -> None:
    record_event(
        kind,
        summary,
        organization_id=memory.organization_id,
        agent_id=memory.agent_id,
        where=memory.conversation,
        heard_by=HeardBy(
            Audience(memory.audience), memory.audience_conversation_id, memory.audience_person_id
        ),
        key=f"memory{memory.pk}.{key}",
        importance=max(0.3, min(0.9, memory.importance)) if kind == EventType.MEMORY_SAVED else None,
        person_id=memory.person_id,
        run_id=author.run_id,
        memory_id=memory.pk,
    )
