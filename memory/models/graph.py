"""What agents know, who may hear it, and how it hangs together.

Agents live in a higher package: `agent_id` and `run_id` are plain numbers.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from pgvector.django import HnswIndex, VectorField

from accounts.models import Organization, Person
from messaging.models import Conversation, Message

DIMENSIONS = 384
EVERYONE = 0


class MemoryType(models.TextChoices):
    FACT = "fact"
    PREFERENCE = "preference"
    DECISION = "decision"
    IDENTITY = "identity"
    EVENT = "event"
    OBSERVATION = "observation"
    GOAL = "goal"
    TODO = "todo", "To do"
    HUMAN = "human", "Profile of a person"


class Audience(models.TextChoices):
    """Who may hear a memory; everyone present must be among them."""

    ORGANIZATION = "organization", "Everyone in the organization"
    CONVERSATION = "conversation", "Those who take part in one conversation"
    PERSON = "person", "One person"


class Source(models.TextChoices):
    CONVERSATION = "conversation"
    PERSON = "person", "Entered by hand"
    AGENT = "agent", "Concluded by the agent"
    FILE = "file"
    WEB = "web"
    MAIL = "mail"
    BOT = "bot", "Another bot"


class Memory(models.Model):
    """One thing an agent knows.

    `reach` puts the audience into one number: 0 for the organization, a conversation's id, or minus a person's id.
    It is live while it is neither forgotten nor superseded; only live memories are recalled.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memories")
    agent_id = models.BigIntegerField()
    type = models.CharField(max_length=12, choices=MemoryType.choices)
    content = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    importance = models.FloatField(help_text="As given, from 0 to 1; what it counts for now is computed")
    pinned = models.BooleanField(default=False)
    audience = models.CharField(max_length=12, choices=Audience.choices)
    audience_conversation = models.ForeignKey(
        Conversation, models.CASCADE, null=True, blank=True, related_name="memories"
    )
    audience_person = models.ForeignKey(
        Person, models.CASCADE, null=True, blank=True, related_name="memories_for"
    )
    reach = models.GeneratedField(
        expression=Case(
            When(audience="conversation", then=F("audience_conversation_id")),
            When(audience="person", then=-F("audience_person_id")),
            default=Value(EVERYONE, output_field=models.BigIntegerField()),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    about = models.ForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="memories_about")

    source = models.CharField(max_length=12, choices=Source.choices, default=Source.CONVERSATION)
    source_name = models.CharField(max_length=300, blank=True, help_text="File, page or address")
    trusted = models.BooleanField(default=True)
    conversation = models.ForeignKey(
        Conversation, models.SET_NULL, null=True, blank=True, related_name="memories_learned"
    )
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="memories_learned"
    )
    person = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="memories_told",
        help_text="Who said it",
    )  # fmt: skip
    run_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    file = models.ForeignKey(
        "IngestedFile", models.SET_NULL, null=True, blank=True, related_name="taught", db_index=False,
        editable=False,
    )  # fmt: skip

    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    valid_from = models.DateTimeField()
    superseded_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="supersedes", editable=False
    )
    superseded_at = models.DateTimeField(null=True, editable=False)
    forgotten_at = models.DateTimeField(null=True, blank=True, editable=False)
    access_count = models.PositiveIntegerField(default=0, editable=False)
    accessed_at = models.DateTimeField(null=True, editable=False)

    embedding = VectorField(dimensions=DIMENSIONS, null=True, editable=False)
    embedder = models.CharField(max_length=80, blank=True, editable=False)
    words = models.GeneratedField(
        expression=SearchVector("content", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        verbose_name_plural = "memories"
        constraints = [
            models.CheckConstraint(condition=Q(type__in=MemoryType.values), name="memory_type_known"),
            models.CheckConstraint(
                condition=Q(importance__gte=0, importance__lte=1), name="memory_importance_range"
            ),
            models.CheckConstraint(
                condition=Q(
                    audience="organization",
                    audience_conversation__isnull=True,
                    audience_person__isnull=True,
                )
                | Q(
                    audience="conversation",
                    audience_conversation__isnull=False,
                    audience_person__isnull=True,
                )
                | Q(audience="person", audience_conversation__isnull=True, audience_person__isnull=False),
                name="memory_audience_whole",
            ),
            models.CheckConstraint(
                condition=Q(trusted=True)
                | ~Q(type__in=["identity", "preference", "human", "decision", "goal", "todo"]),
                name="memory_untrusted_type",
            ),
            models.CheckConstraint(
                condition=~Q(type="human") | Q(about__isnull=False), name="memory_human_about"
            ),
            models.UniqueConstraint(
                fields=["organization", "agent_id", "about", "reach"],
                condition=Q(type="human", forgotten_at=None, superseded_at=None),
                name="memory_human_once",
            ),
            models.UniqueConstraint(
                fields=["digest", "organization", "agent_id", "reach", "type"],
                condition=Q(forgotten_at=None, superseded_at=None),
                name="memory_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "agent_id", "reach"],
                condition=Q(forgotten_at=None, superseded_at=None),
                name="memory_on_shelf",
            ),
            models.Index(
                fields=["organization", "agent_id", "-created_at"],
                condition=Q(forgotten_at=None, superseded_at=None),
                name="memory_recent",
            ),
            models.Index(
                fields=["embedder", "id"],
                condition=Q(forgotten_at=None, superseded_at=None),
                name="memory_embedder",
            ),
            models.Index(fields=["file", "-id"], condition=Q(file__isnull=False), name="memory_by_file"),
            GinIndex(fields=["words"], name="memory_by_word"),
            HnswIndex(
                name="memory_nearest", fields=["embedding"], m=16, ef_construction=64,
                opclasses=["vector_cosine_ops"],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.type}: {self.content[:60]}"

    @property
    def is_live(self) -> bool:
        return self.forgotten_at is None and self.superseded_at is None


class Relation(models.TextChoices):
    RELATED_TO = "related_to"
    UPDATES = "updates"
    CONTRADICTS = "contradicts"
    CAUSED_BY = "caused_by"
    PART_OF = "part_of"
    RESULT_OF = "result_of"


class Association(models.Model):
    """An edge between two memories of one agent; `weight` from 0 to 1."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    source = models.ForeignKey(Memory, models.CASCADE, related_name="edges_out")
    target = models.ForeignKey(Memory, models.CASCADE, related_name="edges_in")
    relation = models.CharField(max_length=12, choices=Relation.choices)
    weight = models.FloatField(default=0.5)
    automatic = models.BooleanField(
        default=False,
        editable=False,
        help_text="Drawn because the two are alike; goes when they no longer are",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "relation"], name="association_once"),
            models.CheckConstraint(condition=~Q(source=F("target")), name="association_of_two"),
            models.CheckConstraint(
                condition=Q(weight__gte=0, weight__lte=1), name="association_weight_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.relation} {self.target_id}"
