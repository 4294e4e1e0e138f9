"""Named secrets, encrypted at rest. The values are write-only for people."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
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
    origins = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Sites it may be typed into, such as https://example.com",
    )
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


class Vault(models.Model):
    """The one row that says whether secrets may be read on this installation; absent, they may."""

    locked_at = models.DateTimeField(null=True)
    sealed_master = models.BinaryField(null=True, editable=False)
    """The master key under the passphrase of the lock."""

    def __str__(self) -> str:
        return "locked" if self.locked_at else "open"


class SecretUse(models.Model):
    """Who used a secret, for what: one row for each run or person and purpose, with how often."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    secret = models.ForeignKey(Secret, models.CASCADE, related_name="uses")
    purpose = models.CharField(max_length=80)
    origin = models.CharField(max_length=200, blank=True, help_text="The site it was typed into")
    run_id = models.BigIntegerField(null=True)
    agent_id = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["secret", "purpose", "origin", "run_id"], nulls_distinct=False, name="secret_use_once"
            )
        ]
        indexes = [models.Index(fields=["secret", "-last_at"], name="secret_use_newest")]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.count})"
