"""What was changed, what people should decide, and what can be undone."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, User
from memory.models.graph import Memory


class MemoryEdit(models.Model):
    """What a memory said or reached before a change, who changed it, and why."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    memory = models.ForeignKey(Memory, models.CASCADE, related_name="edits")
    action = models.CharField(max_length=20)
    before = models.JSONField()
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    run_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action} of {self.memory_id}"


class InboxKind(models.TextChoices):
    CONTRADICTION = "contradiction"
    MERGE = "merge"


class InboxItem(models.Model):
    """Two memories about which a person should decide: they contradict each other, or say the same."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent_id = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=InboxKind.choices)
    first = models.ForeignKey(Memory, models.CASCADE, related_name="+")
    second = models.ForeignKey(Memory, models.CASCADE, related_name="+")
    similarity = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=20, blank=True)
    resolved_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "first", "second"], name="inbox_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="inbox_pair_ordered"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "agent_id", "-id"],
                condition=Q(resolved_at=None),
                name="inbox_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.first_id} and {self.second_id}"


class Consolidation(models.Model):
    """One merge of several memories into a survivor; `before` holds what is needed to undo it."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    survivor = models.ForeignKey(Memory, models.CASCADE, related_name="consolidations")
    before = models.JSONField()
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    run_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"consolidation into {self.survivor_id}"
