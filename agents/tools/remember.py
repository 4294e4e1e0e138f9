"""How branches and keepers remember: what they save is heard by those it was learned from, and no wider.

Saving embeds the text, so it runs outside the step's transaction; saying the very same again returns the first memory,
so it may be repeated.
"""

from __future__ import annotations

from typing import Literal

from django.db.models import F
from pydantic import Field

from accounts.errors import AccountsError
from accounts.models import Person
from agents.context.history import indent
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run, RunKind
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.heard import check_heard, check_may_change, check_mode, listeners_of
from memory.models import Memory, Source
from memory.recall import recall
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, Author, HeardBy, Provenance, conversation, person
from messaging.models import ConversationKind, Participant

HOLDERS = frozenset({"branch", "keeping", "autonomy"})
READERS = HOLDERS | {"colleague", "worker"}
Kind = Literal["fact", "preference", "decision", "identity", "event", "observation", "goal", "todo"]


class MemorySave(Arguments):
    content: str = Field(
        description="One thing, complete in itself, with names and dates.", min_length=3, max_length=8_000
    )
    type: Kind
    importance: float | None = Field(default=None, ge=0, le=1)
    supersedes: int | None = Field(default=None, description="The memory that this one replaces.")
    contradicts: list[int] = Field(
        default_factory=list, max_length=10, description="Memories it disagrees with."
    )
    even_if_similar: bool = Field(default=False, description="Save although something alike was offered.")


def memory_save(context: ToolContext, arguments: MemorySave) -> ToolOutput:
    run = context.run
    check_mode(run, "memory_save")
    heard_by = audience_of(run)
    check_heard(run, arguments.contradicts)
    if arguments.supersedes is not None and not _was_replaced(run, arguments.supersedes):
        check_may_change(run, [arguments.supersedes])
    try:
        saved = save_memory(
            organization_id=run.organization_id,
            agent_id=run.agent_id,
            type=arguments.type,
            content=arguments.content,
            heard_by=heard_by,
            provenance=Provenance(
                source=Source.CONVERSATION,
                conversation_id=run.conversation_id,
                person_id=run.requester_person_id,
                run_id=run.pk,
            ),
            author=Author(run_id=run.pk),
            importance=arguments.importance,
            supersedes=arguments.supersedes,
            contradicts=arguments.contradicts,
            even_if_similar=arguments.even_if_similar,
        )
    except AccountsError as error:
        raise ToolRetry(str(error)) from None
    if saved.memory is not None:
        return ToolOutput(
            f"Saved as memory {saved.memory.pk}."
            if saved.created
            else f"Known already: memory {saved.memory.pk}."
        )
    alike = "\n".join(f"- memory {near.memory.pk}: {indent(near.memory.content)}" for near in saved.similar)
    return ToolOutput(
        f"Not saved. This is nearly the same:\n{alike}\nSupersede it, or save even if similar, or leave it."
    )


class MemoryRecall(Arguments):
    query: str = Field(description="What you want to know, in a few words.", min_length=1, max_length=1_000)
    limit: int = Field(default=10, ge=1, le=30)
    types: list[Kind] = Field(default_factory=list)


def memory_recall(context: ToolContext, arguments: MemoryRecall) -> ToolOutput:
    run = context.run
    check_mode(run, "memory_recall")
    found = recall(
        arguments.query,
        organization_id=run.organization_id,
        agent_id=run.agent_id,
        listeners=listeners_of(run),
        limit=arguments.limit,
        types=arguments.types,
    )
    if not found:
        return ToolOutput("Nothing is known about that.")
    lines = [
        f"- memory {row.id} ({row.type}, {row.valid_from:%Y-%m-%d}{'' if row.trusted else ', from outside: unverified'}): "
        f"{indent(row.content)}"
        for row in found
    ]
    return ToolOutput("\n".join(lines))


def audience_of(run: Run) -> HeardBy:
    """Return who may hear what is learned here: the one person of a private conversation, else those taking part.

    Where the organization has ruled so for an agent (`private_learning`), what its members tell it in private is for
    everyone in the organization. What a guest says is never. An agent by itself is told what everyone may know, so what it
    learns from that is for everyone too.
    """
    if run.kind == RunKind.AUTONOMY:
        return ORGANIZATION
    assert run.conversation is not None
    if run.conversation.kind == ConversationKind.GROUP:
        return conversation(run.conversation.pk)
    people = list(
        Participant.objects.filter(conversation_id=run.conversation.pk).values_list("person_id", flat=True)[
            :2
        ]
    )
    if len(people) != 1:
        raise ToolFailed("it is not clear who may hear what is learned here")
    if run.agent.settings.get("private_learning") == "organization" and _is_member(people[0]):
        return ORGANIZATION
    return person(people[0])


def _is_member(person_id: int) -> bool:
    return Person.objects.filter(
        pk=person_id, user__is_active=True, user__memberships__organization=F("organization")
    ).exists()


def _was_replaced(run: Run, memory_id: int) -> bool:
    """Say whether this very run replaced it: a call that is repeated after a crash finds its work done."""
    return Memory.objects.filter(pk=memory_id, superseded_by__run_id=run.pk).exists()


TOOLS = (
    Tool(
        name="memory_recall",
        description="Search what is remembered and may be told here.",
        arguments=MemoryRecall,
        function=memory_recall,
        kinds=READERS,
        transactional=False,
        repeatable=True,
    ),
    Tool(
        name="memory_save",
        description="Remember one thing for later conversations.",
        arguments=MemorySave,
        function=memory_save,
        kinds=HOLDERS,
        transactional=False,
        repeatable=True,
    ),
)
