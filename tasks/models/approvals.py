"""Approvals: one row for each thing that waits for a person, who decided it, and what was allowed for longer."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Organization, Person, Role, User
from messaging.models import Conversation

DECIDERS = [(role, role.label) for role in (Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER)]


class ApprovalState(models.TextChoices):
    OPEN = "open"
    ASKED_BACK = "asked_back"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    EXECUTED = "executed"
    FAILED = "failed", "Not executed"


PENDING_STATES = (ApprovalState.OPEN, ApprovalState.ASKED_BACK)


class Verdict(models.TextChoices):
    APPROVE = "approve"
    REJECT = "reject"
    ASK_BACK = "ask_back"


class ApprovalRule(models.Model):
    """Who decides, for one agent or all, one kind or all, one subject (a tool's name) or all; the closest row counts.

    Without any row the defaults of these columns hold.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    agent_id = models.BigIntegerField(null=True, blank=True, help_text="Empty: every agent")
    kind = models.CharField(max_length=20, blank=True, help_text="Empty: every kind")
    subject = models.CharField(max_length=80, blank=True, help_text="The tool; empty: every one")
    minimum_role = models.CharField(max_length=12, choices=DECIDERS, default=Role.MODERATOR)
    needed = models.PositiveSmallIntegerField(default=1, help_text="How many people must approve")
    four_eyes = models.BooleanField(default=False, help_text="Nobody approves what they asked for")
    expires_after_s = models.PositiveIntegerField(default=7 * 24 * 3_600)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent_id", "kind", "subject"],
                name="approval_rule_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(needed__gte=1, needed__lte=5), name="approval_rule_needed"),
            models.CheckConstraint(
                condition=Q(expires_after_s__gte=60, expires_after_s__lte=31_536_000),
                name="approval_rule_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind or 'all'} {self.subject or 'all'}: {self.minimum_role}"


class Approval(models.Model):
    """One exact action that waits for a person.

    `digest` covers organization, kind and `action`; see `tasks/services/approvals/canonical.py`. `basis` stands for
    what the action would change, as it was when it was shown. `origin_key` makes asking repeatable. The rule is
    copied in, so that loosening it later lets nothing through; `ruled` says that the organization had written one.
    `used_at` is set by the one execution there can be. `task`, `goal` or `schedule` is what was proposed, if it is one
    of these: whoever may see that sees the approval.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="approvals")
    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=80, blank=True)
    agent_id = models.BigIntegerField(null=True)
    run_id = models.BigIntegerField(null=True)
    conversation = models.ForeignKey(Conversation, models.CASCADE, null=True, related_name="approvals")
    requester_user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    requester_person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    origin_key = models.CharField(max_length=120)
    task = models.ForeignKey("tasks.Task", models.CASCADE, null=True, related_name="approvals")
    goal = models.ForeignKey("tasks.Goal", models.CASCADE, null=True, related_name="approvals")
    schedule = models.ForeignKey("tasks.Schedule", models.CASCADE, null=True, related_name="approvals")

    action = models.JSONField()
    digest = models.CharField(max_length=64)
    basis = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=200)
    why = models.TextField(blank=True)
    preview = models.JSONField(default=list)
    discussion = models.JSONField(default=list)

    minimum_role = models.CharField(max_length=12, choices=DECIDERS)
    needed = models.PositiveSmallIntegerField(default=1)
    four_eyes = models.BooleanField(default=False)
    ruled = models.BooleanField(default=False)
    expires_at = models.DateTimeField()

    state = models.CharField(max_length=12, choices=ApprovalState.choices, default=ApprovalState.OPEN)
    reason = models.CharField(max_length=500, blank=True)
    result = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "origin_key"], name="approval_asked_once"),
            models.CheckConstraint(condition=Q(state__in=ApprovalState.values), name="approval_state_known"),
            models.CheckConstraint(
                condition=~Q(state="executed") | Q(used_at__isnull=False), name="approval_executed_is_used"
            ),
            *(
                models.UniqueConstraint(
                    fields=[kind],
                    condition=Q(kind=kind, state__in=["open", "asked_back"]),
                    name=f"approval_one_open_{kind}",
                )
                for kind in ("task", "goal", "schedule")
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-id"],
                condition=Q(state__in=["open", "asked_back"]),
                name="approval_open",
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=["open", "asked_back", "approved"]),
                name="approval_expiring",
            ),
            models.Index(fields=["run_id"], name="approval_run"),
        ]

    def __str__(self) -> str:
        return f"approval {self.pk} ({self.state})"

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING_STATES

    @property
    def is_proposal(self) -> bool:
        return (self.task_id or self.goal_id or self.schedule_id) is not None


class Decision(models.Model):
    """What one person said to one approval; changing one's mind while it is open changes the row.

    `choice` is what the kind lets them choose beside: for a task, the column it goes to.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    approval = models.ForeignKey(Approval, models.CASCADE, related_name="decisions")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    choice = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["approval", "user"], name="decision_once")]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.user}"


class Grant(models.Model):
    """A standing permission for one agent and one tool, given by a person, until an end.

    `constraint` narrows the arguments: {} allows any, {"path": {"is": "notes.txt"}} this value, {"path": {"under":
    "docs/"}} paths below. It counts only while the giver could approve the same call by hand.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="grants")
    agent_id = models.BigIntegerField()
    subject = models.CharField(max_length=80)
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, null=True, related_name="+", help_text="Empty: every conversation"
    )
    constraint = models.JSONField(default=dict)
    given_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    approval = models.ForeignKey(Approval, models.SET_NULL, null=True, related_name="grants")
    uses_left = models.PositiveIntegerField(null=True, help_text="Empty: any number until the end")
    used = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "agent_id", "subject"],
                condition=Q(revoked_at=None),
                name="grant_usable",
            )
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}: {self.subject}"
