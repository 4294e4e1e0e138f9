"""The board: tasks with their revisions, comments, dependencies and attempts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, Person, User
from messaging.models import Conversation
from tasks.models.common import Audience, Priority
from tasks.models.goals import Goal


class TaskState(models.TextChoices):
    PENDING_APPROVAL = "pending_approval"
    BACKLOG = "backlog"
    READY = "ready"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES = (
    TaskState.PENDING_APPROVAL,
    TaskState.BACKLOG,
    TaskState.READY,
    TaskState.IN_PROGRESS,
    TaskState.BLOCKED,
)


class AuthorKind(models.TextChoices):
    PERSON = "person"
    AGENT = "agent"
    WORKER = "worker"
    SYSTEM = "system"


class TaskDecision(models.TextChoices):
    APPROVED = "approved"
    REJECTED = "rejected"


class WorkerType(models.TextChoices):
    BUILTIN = "builtin", "Built-in worker"
    CODING = "coding", "Coding agent"


class Workspace(models.TextChoices):
    """Where a worker's files lie."""

    CONVERSATION = "conversation", "The folder of its conversation"
    TASK = "task", "A folder of its own"


class TaskCounter(models.Model):
    """The last task number of an organization. Its row lock also serialises changes of dependencies."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True)
    last_number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.last_number}"


class Task(models.Model):
    """An item of the board.

    `requester_user` and `requester_person` are whose authority it runs with: whoever last wrote what will run.
    `blocked_reason` says why it is blocked. A decision is kept until the task waits for approval again.
    `archived_at` takes it off the board; its number is never used again.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tasks")
    number = models.BigIntegerField()
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    subtasks = models.JSONField(default=list, blank=True, help_text="[{title, done}]")
    metadata = models.JSONField(default=dict, blank=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.MEDIUM)
    goal = models.ForeignKey(Goal, models.SET_NULL, null=True, blank=True, related_name="tasks")
    state = models.CharField(max_length=16, choices=TaskState.choices)
    blocked_reason = models.CharField(max_length=300, blank=True)

    owner_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    owner_agent_id = models.BigIntegerField(null=True, blank=True)
    assignee_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    assignee_agent_id = models.BigIntegerField(null=True, blank=True)

    worker_type = models.CharField(max_length=20, choices=WorkerType.choices, default=WorkerType.BUILTIN)
    skills = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    workspace = models.CharField(max_length=12, choices=Workspace.choices, default=Workspace.TASK)

    requester_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    requester_person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.ORGANIZATION)
    conversation = models.ForeignKey(Conversation, models.SET_NULL, null=True, blank=True, related_name="+")

    revision = models.PositiveIntegerField(default=1)
    created_by_kind = models.CharField(max_length=8, choices=AuthorKind.choices)
    created_by_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by_agent_id = models.BigIntegerField(null=True, blank=True)
    created_by_run_id = models.BigIntegerField(null=True, blank=True)
    decision = models.CharField(max_length=8, choices=TaskDecision.choices, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=1000, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="task_number_once"),
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="task_state_known"),
            models.CheckConstraint(
                condition=Q(assignee_user=None) | Q(assignee_agent_id=None), name="task_one_assignee"
            ),
            models.CheckConstraint(
                condition=Q(state="done", completed_at__isnull=False)
                | (~Q(state="done") & Q(completed_at=None)),
                name="task_completed_iff_done",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "priority", "number"], name="task_board"),
            models.Index(fields=["assignee_user"], condition=Q(archived_at=None), name="task_mine"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class TaskDependency(models.Model):
    """`task` cannot start before `needs` is done."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    task = models.ForeignKey(Task, models.CASCADE, related_name="dependencies")
    needs = models.ForeignKey(Task, models.CASCADE, related_name="dependents")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "task dependencies"
        constraints = [
            models.UniqueConstraint(fields=["task", "needs"], name="task_dependency_once"),
            models.CheckConstraint(condition=~Q(task=F("needs")), name="task_needs_another"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} needs {self.needs_id}"


class TaskRevision(models.Model):
    """One immutable snapshot of all that a task says; see `tasks/snapshots.py` for its shape."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    task = models.ForeignKey(Task, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    snapshot = models.JSONField()
    author_kind = models.CharField(max_length=8, choices=AuthorKind.choices)
    author_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    author_agent_id = models.BigIntegerField(null=True, blank=True)
    run_id = models.BigIntegerField(null=True, blank=True)
    summary = models.CharField(max_length=200, blank=True)
    restored_from = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "number"], name="task_revision_once")]

    def __str__(self) -> str:
        return f"revision {self.number} of task {self.task_id}"


class TaskComment(models.Model):
    """A word in a task's discussion. Comments are only added."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    task = models.ForeignKey(Task, models.CASCADE, related_name="comments")
    text = models.TextField()
    author_kind = models.CharField(max_length=8, choices=AuthorKind.choices)
    author_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    author_agent_id = models.BigIntegerField(null=True, blank=True)
    run_id = models.BigIntegerField(null=True, blank=True)
    key = models.CharField(max_length=80, null=True, blank=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"comment on task {self.task_id}"


class Outcome(models.TextChoices):
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"


class Attempt(models.Model):
    """One run's work on a task. At most one is open at a time, whoever starts it: that is the lock."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    task = models.ForeignKey(Task, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    agent_id = models.BigIntegerField()
    run_id = models.BigIntegerField(unique=True)
    started_by_user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    revision = models.PositiveIntegerField(help_text="Of the task that was started")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    summary = models.TextField(blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["task"], condition=Q(ended_at=None), name="attempt_one_open_per_task"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="attempt_ended_with_outcome",
            ),
        ]
        indexes = [models.Index(fields=["run_id"], condition=Q(ended_at=None), name="attempt_open")]

    def __str__(self) -> str:
        return f"attempt {self.number} at task {self.task_id}"
