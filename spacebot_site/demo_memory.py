"""What the agent of the demo knows: a few memories worth reading, and as many more as a picture of the graph needs."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.services.people import person_for_user
from memory.models import Association, InboxItem, InboxKind, IngestedFile, Memory, Relation
from memory.services.checks import digest_of
from memory.services.postings import index_memories

SAID: tuple[tuple[str, str, str, float, bool], ...] = (
    ("identity", "organization", "I look after releases, the handbook and the support rota for Northlight.", 1.0, True),
    ("decision", "organization", "Plan A was chosen: the spring release ships on 14 May.", 0.9, True),
    ("decision", "organization", "Plan B was chosen: the spring release ships on 30 April.", 0.8, False),
    ("preference", "person", "Olga wants drafts as bullet points, never as long paragraphs.", 0.7, False),
    ("goal", "organization", "All 480 handbook links work again before the release.", 0.85, False),
    ("todo", "organization", "Ask Mia who takes the support rota in the second week of May.", 0.75, False),
    ("fact", "person", "Olga is away every Wednesday afternoon.", 0.6, False),
    ("event", "organization", "The importer failed on 2 March because a supplier changed its file format.", 0.5, False),
    ("observation", "organization", "Release notes are read most when they begin with what changed for users.", 0.4, False),
)  # fmt: skip
TOPICS = (
    "the spring release", "the handbook", "the support rota", "the importer", "the website", "billing", "onboarding",
    "the weekly report", "the warehouse", "the partner portal", "the newsletter", "the office",
)  # fmt: skip
PEOPLE = ("Olga", "Mia", "Jonas", "Priya", "the team", "a customer", "the supplier")
SAYINGS: dict[str, tuple[str, ...]] = {
    "fact": ("{who} is responsible for {topic}, part {n}.", "Part {n} of {topic} lives in folder {n}."),
    "decision": ("It was decided that {who} reviews step {n} of {topic}.",),
    "preference": ("{who} prefers item {n} of {topic} to be kept short.",),
    "event": ("{who} finished step {n} of {topic}.", "Item {n} of {topic} was moved by a week."),
    "observation": ("Questions about part {n} of {topic} come mostly from {who}.",),
    "todo": ("Remind {who} of step {n} of {topic}.",),
    "goal": ("Step {n} of {topic} is done by {who} before summer.",),
}
SEED = 7


def fill_memory(
    actor: Actor, agent_id: int, *, count: int = 500, conversation_id: int | None = None
) -> list[Memory]:
    """Store `count` memories that the actor may hear, with the edges of a graph that grew by topics."""
    chance = random.Random(SEED)
    person = person_for_user(actor.organization, actor.user)
    now = timezone.now()
    texts = [*SAID, *_texts(chance, max(0, count - len(SAID)))][:count]
    memories = [
        Memory(
            organization=actor.organization,
            agent_id=agent_id,
            type=kind,
            content=content,
            digest=digest_of(content),
            importance=importance,
            pinned=pinned,
            audience=audience,
            audience_person=person if audience == "person" else None,
            conversation_id=conversation_id,
            created_at=now - timedelta(hours=3 * at),
            updated_at=now - timedelta(hours=3 * at),
            valid_from=now - timedelta(hours=3 * at),
        )
        for at, (kind, audience, content, importance, pinned) in enumerate(texts)
    ]
    Memory.objects.bulk_create(memories[::-1])
    index_memories([memory.pk for memory in memories])
    Association.objects.bulk_create(_edges(chance, memories), ignore_conflicts=True)
    if len(memories) > 2:
        pair: dict[str, Any] = {"first": memories[2], "second": memories[1], "kind": InboxKind.CONTRADICTION}
        InboxItem.objects.create(organization=actor.organization, agent_id=agent_id, **pair)
    return memories


FILES: tuple[dict[str, Any], ...] = (
    {"name": "Supplier contract 2026.pdf", "size_bytes": 412_300, "media_type": "application/pdf", "state": "done",
     "chunks_total": 18, "chunks_done": 18, "memories": 46, "notice": "Pages 7 and 8 hold no text; they may be pictures."},
    {"name": "handbook-export.docx", "size_bytes": 1_890_400, "media_type": "application/msword", "state": "done",
     "chunks_total": 61, "chunks_done": 61, "memories": 128},
    {"name": "scan-0031.pdf", "size_bytes": 8_204_000, "media_type": "application/pdf", "state": "failed",
     "reason": "The PDF holds no text; its pages may be pictures."},
    {"name": "Support rota.csv", "size_bytes": 22_100, "media_type": "text/csv", "state": "extracting",
     "chunks_total": 24, "chunks_done": 15, "memories": 37},
    {"name": "Notes for my review.md", "size_bytes": 6_400, "media_type": "text/markdown", "state": "queued"},
)  # fmt: skip


def fill_files(actor: Actor, agent_id: int) -> None:
    """Make files in the states that a page of files shows; the last one is the actor's own."""
    now, own = timezone.now(), person_for_user(actor.organization, actor.user)
    for at, fields in enumerate(FILES):
        last = at == len(FILES) - 1
        file = IngestedFile.objects.create(
            organization=actor.organization, agent_id=agent_id, digest=f"demo {at}", uploaded_by=actor.user,
            audience_person=own if last else None, finished_at=now if fields["state"] in ("done", "failed") else None,
            **fields,
        )  # fmt: skip
        given = now - timedelta(hours=20 * (len(FILES) - 1 - at), minutes=4)
        IngestedFile.objects.filter(pk=file.pk).update(created_at=given)


def _texts(chance: random.Random, count: int) -> list[tuple[str, str, str, float, bool]]:
    made = []
    for at in range(count):
        kind = chance.choice([*SAYINGS, "fact", "fact", "event"])
        saying = chance.choice(SAYINGS[kind])
        content = saying.format(
            who=chance.choice(PEOPLE), topic=TOPICS[at % len(TOPICS)], n=at // len(TOPICS) + 1
        )
        importance = round(chance.uniform(0.15, 0.75), 2)
        made.append((kind, "organization", content[0].upper() + content[1:], importance, False))
    return made


def _edges(chance: random.Random, memories: list[Memory]) -> list[Association]:
    """Join each memory to an earlier one of its topic, the earliest most often, and few across topics."""
    first, relations = (
        len(SAID),
        [Relation.RELATED_TO] * 5 + [Relation.PART_OF, Relation.CAUSED_BY, Relation.UPDATES],
    )
    pairs = [(at, chance.choice((at - len(TOPICS), first + (at - first) % len(TOPICS)))) for at in range(
        first + len(TOPICS), len(memories)
    ) if chance.random() < 0.9]  # fmt: skip
    pairs += [(chance.randrange(first, len(memories)), chance.randrange(first)) for _ in memories[first::25]]
    edges = [(source, target, chance.choice(relations)) for source, target in pairs]
    edges += [(2, 1, Relation.CONTRADICTS)] if len(memories) > 2 else []
    return [
        Association(
            organization_id=memories[source].organization_id,
            source=memories[source],
            target=memories[target],
            relation=relation,
            weight=round(chance.uniform(0.3, 1), 2),
        )
        for source, target, relation in edges
        if source != target
    ]
