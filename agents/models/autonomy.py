"""What agents may do by themselves, and when they were stopped."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization, User
from agents.models.agent import Agent
from tasks.models import Level


class AutonomyRule(models.Model):
    """What holds for all agents of an organization: none goes further than `ceiling`, and a pause holds all of them."""

    organization = models.OneToOneField(
        Organization, models.CASCADE, primary_key=True, related_name="autonomy_rule"
    )
    ceiling = models.CharField(max_length=8, choices=Level.choices, default=Level.ACT)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    paused_reason = models.CharField(max_length=300, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.organization}: up to {self.ceiling}"


class Autonomy(models.Model):
    """How far one agent goes by itself, when, and how much of it.

    `gap_s` lies between two runs whatever wakes it. After failures in a row it rests until `not_before`. `considered` are the
    keys of what its last good run had before it (`agents/autonomy/agenda.py`): what is in it is nothing new.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.OneToOneField(Agent, models.CASCADE, related_name="autonomy")
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.OFF)
    interval_s = models.PositiveIntegerField(default=1_800)
    gap_s = models.PositiveIntegerField(default=60)
    active_from = models.TimeField(
        null=True, blank=True, help_text="In the agent's time zone; may wrap midnight"
    )
    active_until = models.TimeField(null=True, blank=True)
    timeout_s = models.PositiveIntegerField(default=600, help_text="Of active time, for one run")
    tasks_per_run = models.PositiveSmallIntegerField(default=2)
    tasks_per_day = models.PositiveSmallIntegerField(default=20)
    minutes_per_day = models.PositiveSmallIntegerField(default=120)
    run_history = models.PositiveSmallIntegerField(
        default=5, help_text="Summaries of runs that the next one reads"
    )
    claim_unowned = models.BooleanField(default=True, help_text="Take tasks that are nobody's")

    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    paused_reason = models.CharField(max_length=300, blank=True)
    failures_in_row = models.PositiveSmallIntegerField(default=0, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    last_started_at = models.DateTimeField(null=True, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False, help_text="When there was nothing to do")
    considered = models.JSONField(default=list, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "autonomy"
        constraints = [
            models.CheckConstraint(condition=models.Q(level__in=Level.values), name="autonomy_level_known"),
        ]

    def __str__(self) -> str:
        return f"{self.agent}: {self.level}"


class Halt(models.Model):
    """One use of the switch that stops everything: of one agent, or of all in the organization where `agent` is None."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300, blank=True)
    run_ids = ArrayField(models.BigIntegerField(), default=list)
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="halt_recent")]

    def __str__(self) -> str:
        return f"halt of {self.agent or self.organization}"
