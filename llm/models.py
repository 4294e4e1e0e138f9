"""Providers, the models they offer, which process uses which, and what each request cost."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, Person, User


class ProviderKind(models.TextChoices):
    OPENAI_CHAT = "openai_chat", "OpenAI chat completions"
    OPENAI_RESPONSES = "openai_responses", "OpenAI responses"
    ANTHROPIC = "anthropic", "Anthropic messages"
    SCRIPTED = "scripted", "Scripted (tests)"
    OFFLINE = "offline", "Offline stand-in"


class Provider(models.Model):
    """Where models answer. The key is a secret of the organization, named here."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="providers")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=20, choices=ProviderKind.choices)
    base_url = models.URLField(blank=True, help_text="Empty: the vendor's own")
    secret_name = models.CharField(max_length=80, blank=True)
    enabled = models.BooleanField(default=True)
    timeout_s = models.PositiveIntegerField(default=300)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="provider_name_once")]

    def __str__(self) -> str:
        return self.name


class ModelEntry(models.Model):
    """One model of a provider. Prices are US dollars per million tokens; empty means unknown."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="model_entries")
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="entries")
    name = models.CharField(max_length=120, help_text="The vendor's name for it")
    label = models.CharField(max_length=80, blank=True)
    context_window = models.PositiveIntegerField(default=128_000, help_text="Tokens")
    learned_window = models.PositiveIntegerField(
        null=True, blank=True, editable=False, help_text="Tokens; what a refusal taught us, if less"
    )
    max_output_tokens = models.PositiveIntegerField(default=8_192)
    input_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    output_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    cache_read_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    cache_write_price = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name = "model"
        verbose_name_plural = "models"
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="model_name_once")]

    def __str__(self) -> str:
        return self.label or self.name


class Process(models.TextChoices):
    CHANNEL = "channel"
    BRANCH = "branch"
    WORKER = "worker"
    COMPACTOR = "compactor"
    CORTEX = "cortex"


class Route(models.Model):
    """Which model a kind of process uses; higher positions are the fallbacks, tried in order."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="routes")
    process = models.CharField(max_length=12, choices=Process.choices)
    position = models.PositiveSmallIntegerField(default=0)
    entry = models.ForeignKey(ModelEntry, models.CASCADE, related_name="routes")

    class Meta:
        ordering = ["organization_id", "process", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "process", "position"], name="route_position_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.process} {self.position}: {self.entry}"


class Outcome(models.TextChoices):
    SUCCEEDED = "succeeded"
    RATE_LIMITED = "rate_limited"
    TOO_LONG = "too_long"
    REFUSED_KEY = "refused_key"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    BAD_RESPONSE = "bad_response"
    CANCELLED = "cancelled"


class LedgerEntry(models.Model):
    """One request to a provider. `cost_usd` is empty where a price is unknown."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="ledger")
    requester_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    requester_person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    agent_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True, db_index=True)
    conversation_id = models.BigIntegerField(null=True)
    process = models.CharField(max_length=12, choices=Process.choices)
    provider_name = models.CharField(max_length=60)
    model_asked = models.CharField(max_length=120)
    model_answered = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=14, choices=Outcome.choices)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cache_read_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    latency_ms = models.PositiveIntegerField(default=0)
    first_token_ms = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True, help_text="The vendor's words")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "ledger"
        indexes = [models.Index(fields=["organization", "-created_at"], name="ledger_recent")]

    def __str__(self) -> str:
        return f"{self.model_asked} {self.outcome}"
