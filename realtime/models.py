"""Stored events: what browsers replay after a lost connection."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization


class EventCounter(models.Model):
    """The last event number of an organization. Its row lock makes commit order equal number order."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True)
    last_number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.last_number}"


class Event(models.Model):
    """Something that happened, for those who may see it.

    `conversation_id` limits it to those who may read that conversation; without one, every member of at
    least `minimum_level` sees it. `user_id` limits it to one user.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    number = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    conversation_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    minimum_level = models.PositiveSmallIntegerField(default=1)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="event_number_once")]
        indexes = [models.Index(fields=["created_at"], name="event_created")]

    def __str__(self) -> str:
        return f"{self.organization_id}#{self.number} {self.kind}"
