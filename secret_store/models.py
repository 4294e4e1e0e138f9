"""Named secrets, encrypted at rest. The values are write-only for people."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization


class DataKey(models.Model):
    """A random key that encrypts secrets, itself encrypted ("wrapped") by the master key."""

    wrapped = models.BinaryField(editable=False)
    master_fingerprint = models.CharField(max_length=16, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"data key {self.pk}"


class Category(models.TextChoices):
    SYSTEM = "system", "System: never handed to a subprocess"
    TOOL = "tool", "Tool: handed to tools by name"


class Secret(models.Model):
    """A secret of an organization, or of one agent (`agent_id`), which then shadows the shared one."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="secrets")
    agent_id = models.BigIntegerField(null=True, blank=True)
    name = models.CharField(max_length=80)
    category = models.CharField(max_length=8, choices=Category.choices, default=Category.SYSTEM)
    data_key = models.ForeignKey(DataKey, models.PROTECT, editable=False)
    nonce = models.BinaryField(editable=False)
    ciphertext = models.BinaryField(editable=False)
    hint = models.CharField(max_length=8, blank=True, editable=False, help_text="The last characters")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent_id", "name"], nulls_distinct=False, name="secret_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
