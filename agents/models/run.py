"""A run is one execution of one process, a row that PostgreSQL owns; what it is told and what it has to tell."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, Person, User
from agents.models.agent import Agent
from messaging.models import Conversation


class RunKind(models.TextChoices):
    CHANNEL = "channel"
    BRANCH = "branch"
    WORKER = "worker"
    COMPACTION = "compaction"
    KEEPING = "keeping"
    COLLEAGUE = "colleague"
    SYNTHESIS = "synthesis"
    CRON = "cron", "Scheduled"
    AUTONOMY = "autonomy"


class RunState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"


LIVE_STATES = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
TERMINAL_STATES = (
    RunState.SUCCEEDED,
    RunState.FAILED,
    RunState.CANCELLED,
    RunState.TIMED_OUT,
    RunState.INTERRUPTED,
)


class Run(models.Model):
    """One execution. See `agents/engine/` for claims, leases, fences and the state machine.

    `due_at` holds a queued run back (coalescing). `origin_key` makes the act that started it repeatable.
    `report_to` is the run that hears of its end, None where the conversation does.
    `fork_seq` is the newest message a branch may see. `active_ms` counts time spent running, not waiting.
    `waiting_for` is "approval" from the moment a call waits for a person until its waiting calls are settled.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="runs")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="runs")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, blank=True, related_name="runs")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    report_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="helpers")
    requester_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    requester_person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=12, choices=RunKind.choices)
    state = models.CharField(max_length=12, choices=RunState.choices, default=RunState.QUEUED)
    interactive = models.BooleanField(default=False)
    title = models.CharField(max_length=200, blank=True)
    input = models.JSONField(default=dict)
    origin_key = models.CharField(max_length=80, null=True, unique=True)  # noqa: DJ001
    fork_seq = models.BigIntegerField(null=True)

    due_at = models.DateTimeField()
    coalesce_until = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    active_ms = models.PositiveBigIntegerField(default=0)
    active_limit_s = models.PositiveIntegerField(default=600)
    waiting_for = models.CharField(max_length=12, blank=True)
    recoveries = models.PositiveSmallIntegerField(default=0)

    status_text = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    result = models.JSONField(default=dict)
    failure = models.JSONField(null=True)
    prompt = models.ForeignKey("Prompt", models.PROTECT, null=True, related_name="+")

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True, help_text="When the present execution began")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(kind="channel", state__in=["queued", "running", "waiting"]),
                name="run_one_live_channel",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(kind="compaction", state__in=["queued", "running", "waiting"]),
                name="run_one_live_compaction",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=models.Q(kind="keeping", state__in=["queued", "running", "waiting"]),
                name="run_one_live_keeping",
            ),
            models.UniqueConstraint(
                fields=["agent"],
                condition=models.Q(kind="autonomy", state__in=["queued", "running", "waiting"]),
                name="run_one_live_autonomy",
            ),
            models.CheckConstraint(condition=models.Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["succeeded", "failed", "cancelled", "timed_out", "interrupted"],
                    finished_at__isnull=False,
                )
                | models.Q(state__in=["queued", "running", "waiting"], finished_at__isnull=True),
                name="run_finished_iff_terminal",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="queued"), name="run_queued"),
            models.Index(fields=["lease_expires_at"], condition=models.Q(state="running"), name="run_leased"),
            models.Index(
                fields=["conversation", "kind"],
                condition=models.Q(state__in=["queued", "running", "waiting"]),
                name="run_live",
            ),
            models.Index(fields=["organization", "-created_at"], name="run_recent"),
            models.Index(fields=["agent", "-id"], condition=models.Q(kind="autonomy"), name="run_autonomous"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk} ({self.state})"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class RunInput(models.Model):
    """A follow-up for a worker, taken at its next step."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    run = models.ForeignKey(Run, models.CASCADE, related_name="inputs")
    text = models.TextField()
    key = models.CharField(max_length=80, unique=True)
    taken_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"input for run {self.run_id}"


class ReportState(models.TextChoices):
    PENDING = "pending"
    TOLD = "told"


class Report(models.Model):
    """What a branch or worker has to tell its conversation, or the run it reports to. Told exactly once, by `told_by`."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="reports")
    run = models.ForeignKey(Run, models.CASCADE, related_name="reports")
    number = models.PositiveIntegerField(
        default=0, help_text="Rises with each result of an interactive worker"
    )
    outcome = models.CharField(max_length=12)
    text = models.TextField()
    state = models.CharField(max_length=8, choices=ReportState.choices, default=ReportState.PENDING)
    told_by = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="report_once")]
        indexes = [
            models.Index(
                fields=["conversation"],
                condition=models.Q(state="pending"),
                name="report_open",
            )
        ]

    def __str__(self) -> str:
        return f"report of run {self.run_id}"
