"""The indexes by which recall finds memories and messages."""

from __future__ import annotations

from typing import Any

from django.db import models
from pgvector.django import HnswIndex, VectorField

from accounts.models import Organization, Person
from memory.models.graph import DIMENSIONS, Memory
from messaging.models import Conversation, Message


class RealField(models.FloatField):  # type: ignore[type-arg]  # not subscriptable when it runs
    """Four bytes where eight would only make an index longer."""

    def db_type(self, connection: Any) -> str:
        return "real"


class Posting(models.Model):
    """A stemmed word of a live memory, with what it counts for in that text (BM25 without the rarity of the word)."""

    pk = models.CompositePrimaryKey("memory_id", "term")
    organization = models.ForeignKey(Organization, models.CASCADE, db_constraint=False, db_index=False)
    agent_id = models.BigIntegerField()
    term = models.CharField(max_length=64)
    memory = models.ForeignKey(
        Memory, models.CASCADE, db_constraint=False, db_index=False, related_name="postings"
    )
    reach = models.BigIntegerField()
    weight = RealField()

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "agent_id", "term"],
                include=["memory", "reach", "weight"],
                name="posting_cover",
            )
        ]

    def __str__(self) -> str:
        return f"{self.term} in {self.memory_id}"


class TranscriptState(models.Model):
    """How far a conversation is indexed."""

    conversation = models.OneToOneField(
        Conversation, models.CASCADE, primary_key=True, related_name="transcript_state"
    )
    organization = models.ForeignKey(Organization, models.CASCADE)
    indexed_seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.conversation_id} up to {self.indexed_seq}"


class Section(models.Model):
    """A stretch of a conversation without a long pause."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="sections")
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "first_seq"], name="section_once")]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.first_seq}–{self.last_seq}"


class IndexedMessage(models.Model):
    """A message as recall sees it: alone, and together with its neighbours."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="indexed")
    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="indexed_messages")
    section = models.ForeignKey(Section, models.CASCADE, related_name="messages")
    seq = models.BigIntegerField()
    speaker = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    said_at = models.DateTimeField()
    embedding = VectorField(dimensions=DIMENSIONS, null=True, editable=False)
    embedder = models.CharField(max_length=80, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "seq"], name="indexed_message_once")]
        indexes = [
            models.Index(fields=["embedder", "message"], name="indexed_message_embedder"),
            HnswIndex(
                name="indexed_message_nearest", fields=["embedding"], m=16, ef_construction=64,
                opclasses=["vector_cosine_ops"],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"index of message {self.message_id}"


class MessagePosting(models.Model):
    """A stemmed word of a message or of its neighbours; `alone` is 0 when only they say it."""

    pk = models.CompositePrimaryKey("message_id", "term")
    organization = models.ForeignKey(Organization, models.CASCADE, db_constraint=False, db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, db_constraint=False, db_index=False)
    term = models.CharField(max_length=64)
    message = models.ForeignKey(
        IndexedMessage, models.CASCADE, db_constraint=False, db_index=False, related_name="postings"
    )
    alone = RealField()
    window = RealField()

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "term"],
                include=["conversation", "message", "alone", "window"],
                name="message_posting_cover",
            )
        ]

    def __str__(self) -> str:
        return f"{self.term} in message {self.message_id}"


class SectionPosting(models.Model):
    """A stemmed word of a section."""

    pk = models.CompositePrimaryKey("section_id", "term")
    organization = models.ForeignKey(Organization, models.CASCADE, db_constraint=False, db_index=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, db_constraint=False, db_index=False)
    term = models.CharField(max_length=64)
    section = models.ForeignKey(
        Section, models.CASCADE, db_constraint=False, db_index=False, related_name="postings"
    )
    weight = RealField()

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "term"],
                include=["conversation", "section", "weight"],
                name="section_posting_cover",
            )
        ]

    def __str__(self) -> str:
        return f"{self.term} in section {self.section_id}"


class Shelf(models.Model):
    """Figures of one corpus of a tenant, refreshed as it grows: `agent_id` for its memories, 0 for messages."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent_id = models.BigIntegerField()
    documents = models.BigIntegerField(default=0)
    refreshed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "shelves"
        constraints = [models.UniqueConstraint(fields=["organization", "agent_id"], name="shelf_once")]

    def __str__(self) -> str:
        return f"{self.documents} of agent {self.agent_id}"


class CommonTerm(models.Model):
    """In how many documents of a shelf a frequent word stands; rare words are counted when they are asked for."""

    shelf = models.ForeignKey(Shelf, models.CASCADE, related_name="common_terms")
    term = models.CharField(max_length=64)
    documents = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shelf", "term"], name="common_term_once")]

    def __str__(self) -> str:
        return f"{self.term}: {self.documents}"
