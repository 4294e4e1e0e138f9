"""The record of a run: prompt, steps, tool calls."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization
from agents.models.run import Run


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
    scrubbing = models.JSONField(
        default=dict,
        help_text="`hits`: secrets taken out, by name; `blind`: why known ones could not be looked for",
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["run_id", "number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="step_number_once")]

    def __str__(self) -> str:
        return f"step {self.number} of run {self.run_id}"


class CallState(models.TextChoices):
    RUNNING = "running"
    WAITING = "waiting", "Waiting for a person"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown", "Interrupted, result unknown"


class ToolCall(models.Model):
    """One tool call of a step. `key` is its idempotency key; `repeatable` says that running it twice is safe.

    `allowed_by` names what let it through where the policy was to ask: approval:N or grant:N. A waiting call has not begun.
    """

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
    allowed_by = models.CharField(max_length=40, blank=True)
    result = models.TextField(blank=True)
    redactions = models.JSONField(default=dict, help_text="Secrets taken out of the result, by name")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["step_id", "position"]
        constraints = [models.UniqueConstraint(fields=["step", "position"], name="tool_call_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
