"""Agents, and everything they do: a run is one execution of one process, a row that PostgreSQL owns."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization, Person, User
from messaging.models import Conversation


class Agent(models.Model):
    """A configured persona. `soul`, `identity` and `role` open its system prompt, in this order."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="agents")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=80)
    tagline = models.CharField(max_length=160, blank=True)
    preset = models.CharField(max_length=40, blank=True, help_text="What it was made from")
    soul = models.TextField(blank=True, help_text="Character and values")
    identity = models.TextField(blank=True, help_text="Who it is and whom it serves")
    role = models.TextField(blank=True, help_text="What it does and how")
    settings = models.JSONField(default=dict, blank=True, help_text="Limits; see docs/settings.md")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "slug"], name="agent_slug_once")]

    def __str__(self) -> str:
        return self.name


class RunKind(models.TextChoices):
    CHANNEL = "channel"
    BRANCH = "branch"
    WORKER = "worker"
    COMPACTION = "compaction"
    KEEPING = "keeping"


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
    `fork_seq` is the newest message a branch may see. `active_ms` counts time spent running, not waiting.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="runs")
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="runs")
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, blank=True, related_name="runs")
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
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
    recoveries = models.PositiveSmallIntegerField(default=0)

    status_text = models.CharField(max_length=300, blank=True)
    outcome = models.CharField(max_length=12, blank=True)
    result = models.JSONField(default=dict)
    failure = models.JSONField(null=True)
    prompt = models.ForeignKey("Prompt", models.PROTECT, null=True, related_name="+")

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
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
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk} ({self.state})"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class Prompt(models.Model):
    """The stable head of a request: system prompt and tool schemas, stored once per content."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    digest = models.CharField(max_length=64)
    version = models.CharField(max_length=8, blank=True, help_text="Of the templates it was made from")
    system = ArrayField(models.TextField(), help_text="Stable to volatile")
    tools = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "digest"], name="prompt_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class Step(models.Model):
    """One model call of a run. `added` holds the messages given since the step before, `response` what came back.

    The exact request of step n is the run's prompt plus all `added` and `response` up to it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    added = models.JSONField(default=list)
    response = models.JSONField(default=dict)
    model = models.CharField(max_length=120, blank=True)
    stop_reason = models.CharField(max_length=20, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["run_id", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="step_number_once")]

    def __str__(self) -> str:
        return f"step {self.number} of run {self.run_id}"


class CallState(models.TextChoices):
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown", "Interrupted, result unknown"


class ToolCall(models.Model):
    """One tool call of a step. `key` is its idempotency key; `repeatable` says that running it twice is safe."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    run = models.ForeignKey(Run, models.CASCADE, related_name="tool_calls")
    step = models.ForeignKey(Step, models.CASCADE, related_name="tool_calls")
    position = models.PositiveSmallIntegerField()
    call_id = models.CharField(max_length=120, help_text="The model's id for it")
    name = models.CharField(max_length=80)
    arguments = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=CallState.choices)
    repeatable = models.BooleanField(default=False)
    key = models.CharField(max_length=80, unique=True)
    result = models.TextField(blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["step_id", "position"]
        constraints = [models.UniqueConstraint(fields=["step", "position"], name="tool_call_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


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


class Checkpoint(models.Model):
    """A summary that stands for messages `from_seq` to `to_seq` in a prompt. The messages themselves stay.

    Level 0 summarises messages and covers a conversation without gaps; a higher level sums up checkpoints, which
    then name it in `rolled_into`. `run` is None for one that was made without a model, in an emergency.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="checkpoints")
    level = models.PositiveSmallIntegerField(default=0)
    from_seq = models.BigIntegerField()
    to_seq = models.BigIntegerField()
    title = models.CharField(max_length=80)
    summary = models.TextField()
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    rolled_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="rolled")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["conversation_id", "level", "from_seq"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation", "level", "from_seq"], name="checkpoint_start_once"
            ),
            models.CheckConstraint(
                condition=models.Q(to_seq__gte=models.F("from_seq")), name="checkpoint_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_seq}–{self.to_seq}: {self.title}"


class Keeping(models.Model):
    """How far memory keeping has read a conversation. After failures it waits until `not_before`."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="keeping")
    kept_seq = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "keeping"

    def __str__(self) -> str:
        return f"{self.conversation_id} kept up to {self.kept_seq}"


class ReportState(models.TextChoices):
    PENDING = "pending"
    TOLD = "told"


class Report(models.Model):
    """What a branch or worker has to tell its conversation. Told exactly once, by the run in `told_by`."""

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
