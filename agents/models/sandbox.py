"""Which walls stand around the commands of an organization's agents."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization, User
from agents.models.agent import Agent


class SandboxMode(models.TextChoices):
    AUTO = "auto", "The best that this machine has"
    NONE = "none", "No walls"


class SandboxNetwork(models.TextChoices):
    NONE = "none", "No network"
    PROXY = "proxy", "Through the proxy"


class SandboxSetting(models.Model):
    """For the whole organization, or for one agent: its mode and network, where set, count before; its paths are added."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="sandbox_settings")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, help_text="Empty: every agent")
    mode = models.CharField(
        max_length=8, choices=SandboxMode.choices, blank=True, help_text="Empty: inherited"
    )
    network = models.CharField(
        max_length=8, choices=SandboxNetwork.choices, blank=True, help_text="Empty: inherited"
    )
    writable_paths = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    readable_paths = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent"], name="sandbox_setting_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(mode__in=["", "auto", "none"], network__in=["", "none", "proxy"]),
                name="sandbox_setting_known",
            ),
        ]

    def __str__(self) -> str:
        return f"sandbox of {self.agent or self.organization}"
