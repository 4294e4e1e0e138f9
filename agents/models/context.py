"""What stands for a conversation in a prompt, and how far it was looked through."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization
from agents.models.run import Run
from messaging.models import Conversation


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
