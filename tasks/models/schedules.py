"""Schedules, and the ledger in which each of their due instants is accounted for.

Agents live in a higher package, so `agent_id` and `run_id` are plain numbers here.
"""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, User
from messaging.models import Conversation, Message


class ScheduleKind(models.TextChoices):
    EXPRESSION = "expression", "By the calendar"
    INTERVAL = "interval", "At an interval"
    ONCE = "once", "Once"


class ScheduleState(models.TextChoices):
    PROPOSED = "proposed", "Waits for confirmation"
    ACTIVE = "active"
    PAUSED = "paused"
    FINISHED = "finished"
    BROKEN = "broken", "Stopped after failures"


class Misfire(models.TextChoices):
    """What happens to instants that nobody fired in time, because nothing ran."""

    ONCE = "once", "Run once for all that were missed"
    ALL = "all", "Run each that was missed"
    SKIP = "skip", "Leave out what is too late"


class Overlap(models.TextChoices):
    """What happens to an instant while the run before it is still under way."""

    SKIP = "skip", "Leave it out"
    WAIT = "wait", "Wait for the one before"
    PARALLEL = "parallel", "Run both at once"


class Schedule(models.Model):
    """A prompt that is run when it is due, for its owner, and answered into one conversation.

    `next_due_at` is the first instant the ledger does not account for yet; None while there is none.
    `owner` is whose authority it runs with, asked again at each firing. `key` makes proposing repeatable.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="schedules")
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="schedules")
    agent_id = models.BigIntegerField(db_index=True)
    owner = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="schedules")
    name = models.CharField(max_length=120)
    prompt = models.TextField()

    kind = models.CharField(max_length=10, choices=ScheduleKind.choices)
    expression = models.CharField(max_length=120, blank=True, help_text="Five fields; 0 or 7 is Sunday")
    interval_s = models.PositiveIntegerField(null=True, blank=True)
    anchor_at = models.DateTimeField(null=True, blank=True, help_text="Intervals are counted from here")
    once_at = models.DateTimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64)
    active_from = models.TimeField(null=True, blank=True, help_text="Local; may wrap midnight")
    active_until = models.TimeField(null=True, blank=True)

    timeout_s = models.PositiveIntegerField(default=1_500)
    run_once = models.BooleanField(default=False)
    misfire = models.CharField(max_length=8, choices=Misfire.choices, default=Misfire.ONCE)
    grace_s = models.PositiveIntegerField(default=120)
    overlap = models.CharField(max_length=8, choices=Overlap.choices, default=Overlap.SKIP)

    state = models.CharField(max_length=10, choices=ScheduleState.choices)
    next_due_at = models.DateTimeField(null=True, editable=False)
    failures_in_row = models.PositiveSmallIntegerField(default=0, editable=False)
    stopped_reason = models.CharField(max_length=300, blank=True, editable=False)
    paused_by_run_id = models.BigIntegerField(null=True, editable=False)
    proposed_by_run_id = models.BigIntegerField(null=True, editable=False)
    key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001
    confirmed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="expression", interval_s=None, once_at=None)
                | models.Q(kind="interval", expression="", interval_s__gt=0, once_at=None)
                | models.Q(kind="once", expression="", interval_s=None, once_at__isnull=False),
                name="schedule_one_timing",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["proposed", "finished"]) | models.Q(next_due_at=None),
                name="schedule_due_only_when_confirmed",
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_at"], condition=models.Q(state="active"), name="schedule_due"),
            models.Index(
                fields=["next_due_at"],
                condition=models.Q(state__in=["paused", "broken"]),
                name="schedule_unaccounted",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Trigger(models.TextChoices):
    CLOCK = "clock", "On time"
    CATCH_UP = "catch_up", "Caught up"
    MANUAL = "manual", "By hand"


class FiringDecision(models.TextChoices):
    FIRED = "fired"
    SKIPPED = "skipped", "Skipped on purpose"
    MISSED = "missed", "Missed"


class Reason(models.TextChoices):
    """Why an instant did not run."""

    PAUSED = "paused", "It was paused"
    BREAKER_OPEN = "breaker_open", "It had been stopped after failures in a row"
    OUTSIDE_HOURS = "outside_hours", "Outside its active hours"
    OVERLAP = "overlap", "The run before it was still under way"
    AGENT_OFF = "agent_off", "The agent was switched off"
    AGENT_PAUSED = "agent_paused", "The agent was paused"
    OWNER_GONE = "owner_gone", "Its owner is no longer a member"
    TARGET_CLOSED = "target_closed", "Its owner may no longer write in the conversation"
    MISFIRE = "misfire", "Nothing was running to fire it in time"


class Execution(models.TextChoices):
    NONE = "none", "Did not run"
    WAITING = "waiting", "Waits for the one before"
    QUEUED = "queued", "Waits to start"
    RUNNING = "running"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed"
    TIMED_OUT = "timed_out", "Ran out of time"
    CANCELLED = "cancelled"


LIVE_EXECUTIONS = (Execution.WAITING, Execution.QUEUED, Execution.RUNNING)


class DeliveryResult(models.TextChoices):
    NONE = "none", "Nothing to deliver"
    PENDING = "pending", "On its way"
    DELIVERED = "delivered"
    FAILED = "failed", "Not delivered"


class Firing(models.Model):
    """One line of the ledger: a due instant, or `count` of them in a row that share one reason not to run.

    Each instant of a schedule belongs to exactly one line: it is `due_at`, or lies between it and `until_at`.
    A run by hand has a line as well; its `due_at` is when it was asked for.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="firings")
    due_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=1)
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.CLOCK)
    decision = models.CharField(max_length=10, choices=FiringDecision.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    run_id = models.BigIntegerField(null=True, db_index=True)
    execution = models.CharField(max_length=10, choices=Execution.choices, default=Execution.NONE)
    delivery = models.CharField(max_length=10, choices=DeliveryResult.choices, default=DeliveryResult.NONE)
    message = models.ForeignKey(Message, models.SET_NULL, null=True, blank=True, related_name="+")
    outcome = models.TextField(blank=True, help_text="What was delivered, or why nothing was")
    failure = models.TextField(blank=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    decided_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-due_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "due_at"], condition=~models.Q(trigger="manual"), name="firing_once"
            ),
            models.CheckConstraint(
                condition=models.Q(until_at=None, count=1)
                | models.Q(until_at__gt=models.F("due_at"), count__gt=1),
                name="firing_range",
            ),
            models.CheckConstraint(
                condition=(models.Q(decision="fired", reason="") & ~models.Q(execution="none"))
                | (models.Q(decision__in=["skipped", "missed"], execution="none") & ~models.Q(reason="")),
                name="firing_explained",
            ),
        ]
        indexes = [
            models.Index(fields=["schedule", "-due_at"], name="firing_recent"),
            models.Index(
                fields=["schedule"],
                condition=models.Q(execution__in=["waiting", "queued", "running"]),
                name="firing_live",
            ),
            models.Index(fields=["id"], condition=models.Q(delivery="pending"), name="firing_undelivered"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} at {self.due_at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def is_live(self) -> bool:
        return self.execution in LIVE_EXECUTIONS
