"""The index of what was said: every message alone and with its neighbours, and stretches of talk as a whole.

Filled in the background, in order, each conversation under its own row lock; running it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from memory.models import IndexedMessage, Section, TranscriptState
from memory.modes import memory_mode
from messaging.models import Conversation, Handling, Message

PAUSE = timedelta(hours=3)
MAX_SECTION = 48
BATCH = 400
K1, B = 1.2, 0.75
USUAL_ALONE, USUAL_WINDOW, USUAL_SECTION = 12.0, 36.0, 300.0
QUIET = timedelta(seconds=5)

POSTINGS = """
WITH said AS (
    SELECT i.message_id, i.organization_id, i.conversation_id, i.seq, m.text,
           lag(m.text) OVER stretch AS before, lead(m.text) OVER stretch AS after
    FROM memory_indexedmessage AS i JOIN messaging_message AS m ON m.id = i.message_id
    WHERE i.section_id = ANY (%(sections)s)
    WINDOW stretch AS (PARTITION BY i.section_id ORDER BY i.seq)
), target AS (
    SELECT said.*, to_tsvector('english', text) AS alone,
           to_tsvector('english', concat_ws(E'\\n', before, text, after)) AS around
    FROM said WHERE seq >= %(first)s
), around AS (
    SELECT message_id, organization_id, conversation_id, left(u.lexeme, 64) AS term,
           sum(coalesce(cardinality(u.positions), 1))::float8 AS times
    FROM target, unnest(around) AS u GROUP BY 1, 2, 3, 4
), alone AS (
    SELECT message_id, left(u.lexeme, 64) AS term, sum(coalesce(cardinality(u.positions), 1))::float8 AS times
    FROM target, unnest(alone) AS u GROUP BY 1, 2
), counted AS (
    SELECT w.*, coalesce(a.times, 0) AS alone_times, sum(w.times) OVER each AS words,
           sum(coalesce(a.times, 0)) OVER each AS alone_words
    FROM around AS w LEFT JOIN alone AS a USING (message_id, term)
    WINDOW each AS (PARTITION BY message_id)
)
INSERT INTO memory_messageposting (message_id, term, organization_id, conversation_id, alone, "window")
SELECT message_id, term, organization_id, conversation_id,
       alone_times * (%(k1)s + 1) / (alone_times + %(k1)s * (1 - %(b)s + %(b)s * alone_words / %(usual_alone)s)),
       times * (%(k1)s + 1) / (times + %(k1)s * (1 - %(b)s + %(b)s * words / %(usual_window)s))
FROM counted
"""

SECTION_POSTINGS = """
WITH said AS (
    SELECT i.section_id, i.organization_id, i.conversation_id, left(u.lexeme, 64) AS term,
           sum(coalesce(cardinality(u.positions), 1))::float8 AS times
    FROM memory_indexedmessage AS i JOIN messaging_message AS m ON m.id = i.message_id,
         unnest(to_tsvector('english', m.text)) AS u
    WHERE i.section_id = ANY (%(sections)s) GROUP BY 1, 2, 3, 4
)
INSERT INTO memory_sectionposting (section_id, term, organization_id, conversation_id, weight)
SELECT section_id, term, organization_id, conversation_id,
       times * (%(k1)s + 1) / (times + %(k1)s * (1 - %(b)s + %(b)s
           * sum(times) OVER (PARTITION BY section_id) / %(usual)s))
FROM said
"""


def list_behind(*, limit: int = 100) -> list[int]:
    """Return conversations with messages that are not indexed, once they have been quiet for a moment."""
    behind = Conversation.objects.filter(last_message_at__lt=timezone.now() - QUIET).filter(
        Q(transcript_state=None, last_seq__gt=0) | Q(transcript_state__indexed_seq__lt=F("last_seq"))
    )
    return list(behind.order_by("last_message_at").values_list("pk", flat=True)[:limit])


def index_conversation(conversation_id: int) -> int:
    """Index what was said since the last time; return how many messages that were."""
    total = 0
    while count := _index_batch(conversation_id):
        total += count
    return total


@transaction.atomic
def _index_batch(conversation_id: int) -> int:
    conversation = Conversation.objects.only("organization_id", "settings").filter(pk=conversation_id).first()
    if conversation is None:
        return 0
    TranscriptState.objects.get_or_create(
        conversation_id=conversation_id, defaults={"organization_id": conversation.organization_id}
    )
    state = TranscriptState.objects.select_for_update().get(conversation_id=conversation_id)
    said = Message.objects.filter(conversation_id=conversation_id, seq__gt=state.indexed_seq)
    batch = list(said.only("seq", "person_id", "created_at", "handling").order_by("seq")[:BATCH])
    if not batch:
        return 0
    heard = [message for message in batch if message.handling != Handling.IGNORED]
    if heard and memory_mode(conversation) != "off":
        _index(conversation, heard)
    state.indexed_seq = batch[-1].seq
    state.save(update_fields=["indexed_seq"])
    return len(batch)


def pass_over(conversation: Conversation) -> None:
    """Never index what was said up to now. Joins the caller's transaction, which holds the conversation's row."""
    state, _ = TranscriptState.objects.select_for_update().get_or_create(
        conversation=conversation, defaults={"organization_id": conversation.organization_id}
    )
    state.indexed_seq = max(state.indexed_seq, conversation.last_seq)
    state.save(update_fields=["indexed_seq"])


def _index(conversation: Conversation, heard: list[Message]) -> None:
    """Add messages to sections and words to the index; the last message before them gets its new neighbour."""
    last = IndexedMessage.objects.filter(conversation=conversation).order_by("-seq").first()
    section = Section.objects.get(pk=last.section_id) if last else None
    first_touched = last.seq if last else heard[0].seq
    size = IndexedMessage.objects.filter(section=section).count() if section else 0
    touched: dict[int, Section] = {section.pk: section} if section else {}
    rows = []
    for message in heard:
        if section is None or size >= MAX_SECTION or message.created_at - section.ended_at > PAUSE:
            section, size = _open(conversation, message), 0
            touched[section.pk] = section
        section.last_seq, section.ended_at, size = message.seq, message.created_at, size + 1
        rows.append(
            IndexedMessage(
                message=message,
                organization_id=conversation.organization_id,
                conversation=conversation,
                section=section,
                seq=message.seq,
                speaker_id=message.person_id,
                said_at=message.created_at,
            )
        )
    IndexedMessage.objects.bulk_create(rows)
    Section.objects.bulk_update(touched.values(), ["last_seq", "ended_at"])
    _write_postings(sorted(touched), first_touched)


def _open(conversation: Conversation, message: Message) -> Section:
    return Section.objects.create(
        organization_id=conversation.organization_id,
        conversation=conversation,
        first_seq=message.seq,
        last_seq=message.seq,
        started_at=message.created_at,
        ended_at=message.created_at,
    )


def _write_postings(sections: list[int], first_seq: int) -> None:
    bm25: dict[str, Any] = {"k1": K1, "b": B, "sections": sections}
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM memory_messageposting WHERE message_id IN (SELECT message_id FROM memory_indexedmessage"
            " WHERE section_id = ANY (%s) AND seq >= %s)",
            [sections, first_seq],
        )
        usual = {"usual_alone": USUAL_ALONE, "usual_window": USUAL_WINDOW, "first": first_seq}
        cursor.execute(POSTINGS, {**bm25, **usual})
        cursor.execute("DELETE FROM memory_sectionposting WHERE section_id = ANY (%s)", [sections])
        cursor.execute(SECTION_POSTINGS, {**bm25, "usual": USUAL_SECTION})


def reindex(section_ids: Collection[int]) -> None:
    """Write the words of these sections anew, after messages in them were erased."""
    sections = sorted(section_ids)
    with transaction.atomic():
        _write_postings(sections, 0)
        IndexedMessage.objects.filter(section__in=sections).update(embedding=None, embedder="")
        Section.objects.filter(pk__in=sections, messages=None).delete()
