"""What looks after an agent: its cortex jobs, what they did, tools that are cut off, and how the agent introduces itself."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from agents.models.agent import Agent


class CortexJob(models.Model):
    """One recurring job of one agent: when it is due, who does it now, how far it got.

    `fence` rises with each claim; whoever holds an older one may no longer write. `cursor` is the job's own, `result`
    what its last pass came to. `failures` counts those in a row, lost leases too.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="cortex_jobs")
    name = models.CharField(max_length=20)
    due_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    fence = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    cursor = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    last_started_at = models.DateTimeField(null=True)
    last_finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "name"], name="cortex_job_once")]
        indexes = [models.Index(fields=["due_at"], name="cortex_job_due")]

    def __str__(self) -> str:
        return f"{self.name} of agent {self.agent_id}"


class CortexLog(models.Model):
    """What the cortex did or noticed. Rows are added and, after a month, dropped; never changed.

    `text` and `detail` name rows by number and hold nothing that was said. `key` keeps something from being noticed twice.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="cortex_log")
    job = models.CharField(max_length=20)
    event = models.CharField(max_length=40)
    is_alarm = models.BooleanField(default=False, help_text="Administrators were told")
    text = models.CharField(max_length=500)
    detail = models.JSONField(default=dict)
    key = models.CharField(max_length=80, null=True, editable=False)  # noqa: DJ001
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "cortex log"
        constraints = [models.UniqueConstraint(fields=["agent", "key"], name="cortex_noticed_once")]
        indexes = [models.Index(fields=["agent", "-id"], name="cortex_log_recent")]

    def __str__(self) -> str:
        return f"{self.job}: {self.event}"


class BreakerState(models.TextChoices):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open", "Half open"


class Breaker(models.Model):
    """Cuts an agent off from a tool that keeps failing. Open: calls are refused until `next_try_at`, then one is let
    through (half open), and what it comes to closes or opens it again.

    `failures` counts those in a row, `trips` how often it opened since it was last closed.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="breakers")
    tool = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=BreakerState.choices, default=BreakerState.CLOSED)
    failures = models.PositiveIntegerField(default=0)
    trips = models.PositiveIntegerField(default=0)
    last_run_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "tool"], name="breaker_once"),
            models.CheckConstraint(
                condition=Q(state=BreakerState.CLOSED)
                | Q(opened_at__isnull=False, next_try_at__isnull=False),
                name="breaker_open_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool} ({self.state})"


class Profile(models.Model):
    """How an agent introduces itself, in a model's words; made again only when the texts in `digest` change."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.OneToOneField(Agent, models.CASCADE, related_name="profile")
    display_name = models.CharField(max_length=80)
    status_line = models.CharField(max_length=120)
    bio = models.CharField(max_length=600)
    digest = models.CharField(max_length=64)
    model = models.CharField(max_length=120, blank=True)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.display_name
