"""Where an organization lets its agents go, and what was refused on the way."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, User
from agents.models.agent import Agent


class EgressKind(models.TextChoices):
    ALLOW = "allow", "Allowed"
    PRIVATE = "private", "Private host"


class EgressRule(models.Model):
    """A host that agents may reach: `allow` narrows the public ones, `private` is an exception that need not be public.

    `port` 0 stands for the ports of the web; a private host has one port and no pattern.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="egress_rules")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, help_text="Empty: every agent")
    kind = models.CharField(max_length=8, choices=EgressKind.choices)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent", "kind", "host", "port"],
                name="egress_rule_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(kind="allow") | models.Q(kind="private", port__gt=0),
                name="egress_rule_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host


class EgressRefusal(models.Model):
    """A place that a run was not let to. The same place and reason in one run is one row."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="egress_refusals")
    run = models.ForeignKey("agents.Run", models.CASCADE, related_name="egress_refusals")
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=300)
    count = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "host", "port", "reason"], name="egress_refusal_once")
        ]
        indexes = [models.Index(fields=["organization", "-last_at"], name="egress_refusal_recent")]

    def __str__(self) -> str:
        return f"{self.host}: {self.reason}"
