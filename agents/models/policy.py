"""What an organization lets its agents' tools do without asking."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, User
from agents.models.agent import Agent


class Policy(models.TextChoices):
    ALLOW = "allow", "Allow"
    ASK = "ask", "Ask first"
    DISABLE = "disable", "Off"


class ToolPolicy(models.Model):
    """The policy of one tool: for the whole organization, or for one agent, which then counts before it."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tool_policies")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, help_text="Empty: every agent")
    tool = models.CharField(max_length=80)
    policy = models.CharField(max_length=8, choices=Policy.choices)
    updated_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "tool policies"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent", "tool"], name="tool_policy_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(policy__in=["allow", "ask", "disable"]), name="tool_policy_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.policy}"
