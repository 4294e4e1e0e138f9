"""The board in the admin, to read. Changes go through the pages and the API, which keep what was there before.

What tasks and goals say shows to superusers alone: some came out of private conversations.
"""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from tasks.models import (
    Attempt,
    Goal,
    Task,
    TaskComment,
    TaskCounter,
    TaskDependency,
    TaskRevision,
)

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Goal)
class GoalAdmin(ReadOnlyAdmin):
    private_fields = ("title", "description", "notes")
    list_display = (
        "id", "title", "status", "priority", "authority", "due_on", "owner_user", "agent_id", "organization",
    )  # fmt: skip
    list_filter = ("status", "priority", "authority", "audience", OrganizationFilter)
    list_select_related = ("owner_user", "organization")
    search_fields = ("title", "=id")
    ordering = ("-id",)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    private_fields = ("title", "description", "subtasks", "metadata", "blocked_reason", "decision_note")
    list_display = (
        "number", "title", "state", "priority", "audience", "requester_user", "assignee_user", "assignee_agent_id",
        "decision", "revision", "updated_at", "archived_at", "organization",
    )  # fmt: skip
    list_filter = (
        "state",
        "priority",
        "audience",
        "decision",
        "created_by_kind",
        ("archived_at", admin.EmptyFieldListFilter),
        OrganizationFilter,
    )
    list_select_related = ("requester_user", "assignee_user", "organization")
    search_fields = ("title", "=number")
    ordering = ("-id",)


@admin.register(TaskDependency)
class TaskDependencyAdmin(ReadOnlyAdmin):
    list_display = ("id", "task_id", "needs_id", "created_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("=task__number", "=needs__number")
    ordering = ("-id",)


@admin.register(TaskRevision)
class TaskRevisionAdmin(ReadOnlyAdmin):
    private_fields = ("snapshot", "summary")
    list_display = (
        "id", "task_id", "number", "author_kind", "author_user", "run_id", "restored_from", "created_at",
        "organization",
    )  # fmt: skip
    list_filter = ("author_kind", OrganizationFilter)
    list_select_related = ("author_user", "organization")
    search_fields = ("=task__number", "=run_id")
    ordering = ("-id",)


@admin.register(TaskComment)
class TaskCommentAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = (
        "id",
        "task_id",
        "text",
        "author_kind",
        "author_user",
        "run_id",
        "created_at",
        "organization",
    )
    list_filter = ("author_kind", OrganizationFilter)
    list_select_related = ("author_user", "organization")
    search_fields = ("=task__number", "text")
    ordering = ("-id",)


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin):
    private_fields = ("summary",)
    list_display = (
        "id", "task_id", "number", "agent_id", "run_id", "outcome", "started_by_user", "started_at", "ended_at",
        "organization",
    )  # fmt: skip
    list_filter = ("outcome", ("ended_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("started_by_user", "organization")
    search_fields = ("=task__number", "=run_id")
    ordering = ("-id",)


@admin.register(TaskCounter)
class TaskCounterAdmin(ReadOnlyAdmin):
    organization_path = None
    list_display = ("organization", "last_number")
