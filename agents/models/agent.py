"""Agents: configured personas."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization


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
