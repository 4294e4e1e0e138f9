"""Working memory: what happened lately, summaries of it, and how far summing up has come.

Who may hear a row is told as with memories, by an audience and its `reach`, so that `memory_audible` filters both.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When

from accounts.models import Organization, Person
from agents.models.agent import Agent
from agents.models.run import Run
from memory.models import EVERYONE, Audience
from messaging.models import Conversation

SUMMARY_CHARACTERS = 300


class EventType(models.TextChoices):
    """What can happen. Another subject adds its words here and calls `record_event`."""

    CONVERSATION_STARTED = "conversation_started"
    PERSON_JOINED = "person_joined"
    WORKER_STARTED = "worker_started"
    WORKER_COMPLETED = "worker_completed"
    BRANCH_COMPLETED = "branch_completed"
    MEMORY_SAVED = "memory_saved"
    DECISION = "decision"
    DECISION_REVISED = "decision_revised"
    CONTRADICTION = "contradiction"
    USER_CORRECTION = "user_correction"
    OUTCOME = "outcome"
    BLOCKED_ON = "blocked_on"
    CONSTRAINT = "constraint"
    DEADLINE_SET = "deadline_set"
    CHECKPOINT_MADE = "checkpoint_made"
    FILE_INGESTED = "file_ingested"
    PROVIDER_TROUBLE = "provider_trouble"
    ERROR = "error"
    TASK_UPDATE = "task_update"
    SCHEDULE_FIRED = "schedule_fired"
    AGENT_MESSAGE = "agent_message"
    SYSTEM = "system"


class Heard(models.Model):
    """A row of one agent that an audience may hear, and nobody else."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.ForeignKey(Agent, models.CASCADE)
    audience = models.CharField(max_length=12, choices=Audience.choices)
    audience_conversation = models.ForeignKey(
        Conversation, models.CASCADE, null=True, blank=True, related_name="+"
    )
    audience_person = models.ForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    reach = models.GeneratedField(
        expression=Case(
            When(audience="conversation", then=F("audience_conversation_id")),
            When(audience="person", then=-F("audience_person_id")),
            default=Value(EVERYONE, output_field=models.BigIntegerField()),
        ),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        abstract = True
        constraints = [
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
                name="%(class)s_audience_whole",
            )
        ]


class SynthesisKind(models.TextChoices):
    INTRADAY = "intraday", "Part of a day"
    DAILY = "daily", "A day"


class Synthesis(Heard):
    """A paragraph that stands for events of one audience, or the summary of its day, which stands for paragraphs.

    What it stands for names it: an event in `synthesis`, a paragraph in `rolled_into`. `run` is None for one that was
    made without a model. Days are the agent's, in its time zone.
    """

    kind = models.CharField(max_length=8, choices=SynthesisKind.choices)
    day = models.DateField()
    text = models.TextField()
    event_count = models.PositiveIntegerField(default=0)
    people = ArrayField(
        models.BigIntegerField(), default=list, help_text="Whose doings it tells; known after events are gone"
    )
    from_at = models.DateTimeField(help_text="When the first event was")
    to_at = models.DateTimeField(help_text="When the last event was")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    rolled_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="rolled")
    created_at = models.DateTimeField()

    class Meta(Heard.Meta):
        verbose_name_plural = "syntheses"
        constraints = [
            *Heard.Meta.constraints,
            models.UniqueConstraint(
                fields=["agent", "reach", "day"], condition=Q(kind="daily"), name="synthesis_day_once"
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "day", "reach"], name="synthesis_of_day"),
            models.Index(
                fields=["agent", "reach", "day"],
                condition=Q(kind="intraday", rolled_into=None),
                name="synthesis_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.day}: {self.text[:60]}"


class WorkingEvent(Heard):
    """One thing that happened, in a line. While `synthesis` is None no summary has told it yet.

    `key` makes recording it repeatable. `conversation`, `person` and `run_id` tell where, through whom and by what;
    with `memory_id` it repeats what a memory says, and goes when the memory does.
    """

    type = models.CharField(max_length=24, choices=EventType.choices)
    summary = models.CharField(max_length=SUMMARY_CHARACTERS)
    detail = models.TextField(blank=True)
    importance = models.FloatField(default=0.5)
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="+")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    run_id = models.BigIntegerField(null=True)
    memory_id = models.BigIntegerField(null=True)
    key = models.CharField(max_length=120)
    day = models.DateField(help_text="In the agent's time zone")
    synthesis = models.ForeignKey(Synthesis, models.SET_NULL, null=True, related_name="events")
    created_at = models.DateTimeField()

    class Meta(Heard.Meta):
        constraints = [
            *Heard.Meta.constraints,
            models.UniqueConstraint(fields=["agent", "key"], name="working_event_once"),
            models.CheckConstraint(
                condition=Q(importance__gte=0, importance__lte=1), name="working_event_importance"
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "reach", "-id"], name="working_event_recent"),
            models.Index(
                fields=["agent", "reach", "-id"], condition=Q(synthesis=None), name="working_event_open"
            ),
            models.Index(fields=["agent", "person", "-id"], name="working_event_person"),
            models.Index(
                fields=["memory_id"], condition=Q(memory_id__isnull=False), name="working_event_memory"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.summary[:60]}"


class WorkingState(Heard):
    """How summing up goes for one audience: one run at a time; after failures it waits until `not_before`."""

    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    synthesised_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)

    class Meta(Heard.Meta):
        constraints = [
            *Heard.Meta.constraints,
            models.UniqueConstraint(fields=["agent", "reach"], name="working_state_once"),
        ]

    def __str__(self) -> str:
        return f"agent {self.agent_id}, reach {self.reach}"
