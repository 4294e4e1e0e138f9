"""Goals: directions that people set and tasks serve."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, User
from messaging.models import Conversation
from tasks.models.common import Audience, Priority


class GoalStatus(models.TextChoices):
    PROPOSED = "proposed"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class Authority(models.TextChoices):
    """How far agents may go for a goal without asking again, narrowest first."""

    PROPOSE = "propose", "Propose tasks"
    PREPARE = "prepare", "Prepare what people approve"
    EXECUTE = "execute", "Carry out approved tasks"


class Goal(models.Model):
    """A direction with success criteria in `description`. It never closes itself when its tasks are done.

    `notes` is one text that is replaced, not appended to. `agent_id` and `run_id` say which agent proposed it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="goals")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, help_text="With the success criteria")
    status = models.CharField(max_length=10, choices=GoalStatus.choices)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.MEDIUM)
    due_on = models.DateField(null=True, blank=True)
    authority = models.CharField(max_length=8, choices=Authority.choices, default=Authority.PROPOSE)
    notes = models.TextField(blank=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")
    owner_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.ORGANIZATION)
    conversation = models.ForeignKey(Conversation, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    agent_id = models.BigIntegerField(null=True, blank=True)
    run_id = models.BigIntegerField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=GoalStatus.values), name="goal_status_known"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="goal_not_its_own_parent"),
        ]
        indexes = [models.Index(fields=["organization", "status", "priority"], name="goal_listed")]

    def __str__(self) -> str:
        return self.title
