"""Wakes: what sets an agent to work by itself, what happened to them, and what came with it.

Agents live in a higher package, so `agent_id` and `run_id` are plain numbers here.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from accounts.models import Organization, User


class Level(models.TextChoices):
    """How far an agent may go by itself, narrowest first."""

    OFF = "off", "Off"
    OBSERVE = "observe", "Observe: read and remember"
    SUGGEST = "suggest", "Suggest: propose what people decide"
    ACT = "act", "Act: carry out what was approved"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class WakeTrigger(models.TextChoices):
    SCHEDULE = "schedule", "By the calendar"
    WEBHOOK = "webhook", "By a request from outside"
    EVENT = "event", "When something happens here"


class Happening(models.TextChoices):
    """What can happen here."""

    TASK_APPROVED = "task.approved", "A task was approved"
    TASK_COMMENTED = "task.commented", "A task was commented on"
    GOAL_CHANGED = "goal.changed", "A goal was set or changed"
    WORK_FINISHED = "work.finished", "Work on a task was finished"
    WORK_FAILED = "work.failed", "Work on a task failed"
    AGENT_MESSAGE = "agent.message", "Another agent asked for something"
    FILE_INGESTED = "file.ingested", "A file was read"
    CORTEX_FINDING = "cortex.finding", "The cortex noticed something"


class Wake(models.Model):
    """One reason to wake an agent. Exactly one trigger; `instructions` say what to do then.

    `built_in` ones can be switched off, but neither removed nor renamed. `token_digest` is that of a webhook's token, which
    is shown once; with `signed`, a request needs a signature as well. `next_due_at` is what the clock looks at.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="wakes")
    agent_id = models.BigIntegerField()
    name = models.CharField(max_length=120)
    trigger = models.CharField(max_length=8, choices=WakeTrigger.choices)
    happening = models.CharField(max_length=16, choices=Happening.choices, blank=True)
    expression = models.CharField(max_length=120, blank=True, help_text="Five fields; 0 or 7 is Sunday")
    interval_s = models.PositiveIntegerField(null=True, blank=True)
    anchor_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    instructions = models.TextField(blank=True)
    minimum_level = models.CharField(max_length=8, choices=Level.choices, default=Level.OBSERVE)
    enabled = models.BooleanField(default=True)
    built_in = models.BooleanField(default=False, editable=False)
    signed = models.BooleanField(default=False)
    token_digest = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001
    next_due_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    last_fired_at: datetime | None = None
    """When it fired last, on rows of `tasks.queries.wakes.with_last_firing`."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent_id", "happening"], condition=Q(built_in=True), name="wake_built_in_once"
            ),
            models.CheckConstraint(
                condition=Q(trigger="event", expression="", interval_s=None, token_digest=None)
                & ~Q(happening="")
                | Q(
                    trigger="webhook",
                    happening="",
                    expression="",
                    interval_s=None,
                    token_digest__isnull=False,
                )
                | Q(trigger="schedule", happening="", token_digest=None)
                & (Q(expression="", interval_s__gt=0) | ~Q(expression="") & Q(interval_s=None)),
                name="wake_one_trigger",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "happening", "agent_id"], condition=Q(enabled=True), name="wake_heard"
            ),
            models.Index(
                fields=["next_due_at"], condition=Q(enabled=True, trigger="schedule"), name="wake_due"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WakeState(models.TextChoices):
    PENDING = "pending", "Waits for a run"
    TAKEN = "taken", "A run is at it"
    DONE = "done", "Dealt with"
    DROPPED = "dropped", "Given up"


class WakeEvent(models.Model):
    """A wake that fired. While it waits, the same `key` again joins it: `count` rises and another payload is kept.

    A run takes it when it begins and acknowledges it in its terminal write; a run that fails or vanishes gives it back.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    wake = models.ForeignKey(Wake, models.CASCADE, related_name="events")
    agent_id = models.BigIntegerField()
    key = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=8, choices=WakeState.choices, default=WakeState.PENDING)
    count = models.PositiveIntegerField(default=1)
    tries = models.PositiveSmallIntegerField(default=0)
    run_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was given up")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["wake", "key"], condition=Q(state="pending"), name="wake_event_pending_once"
            ),
            models.CheckConstraint(
                condition=Q(state="taken", run_id__isnull=False) | ~Q(state="taken"),
                name="wake_event_taken_by_a_run",
            ),
        ]
        indexes = [
            models.Index(
                fields=["agent_id"], condition=Q(state__in=["pending", "taken"]), name="wake_event_open"
            ),
            models.Index(fields=["agent_id", "-id"], name="wake_event_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.wake_id} {self.key} ({self.state})"


class WakePayload(models.Model):
    """What came with one firing. Nothing is replaced."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    event = models.ForeignKey(WakeEvent, models.CASCADE, related_name="payloads")
    payload = models.JSONField()
    from_outside = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"payload of event {self.event_id}"
