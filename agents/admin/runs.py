"""Runs and what belongs to them: to read, with actions that go through the services."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin
from accounts.errors import AccountsError
from agents.models import (
    Checkpoint,
    Keeping,
    Prompt,
    Report,
    Run,
    RunInput,
    Step,
    ToolCall,
)
from agents.services import runs

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    private_fields = ("title", "input", "result", "failure", "status_text", "cancel_reason")
    list_display = (
        "id", "kind", "state", "title", "agent", "conversation_id", "parent_id", "created_at", "finished_at",
        "organization",
    )  # fmt: skip
    list_filter = ("kind", "state", ("agent", admin.RelatedOnlyFieldListFilter), OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("=id", "title", "=conversation__id")
    ordering = ("-id",)
    actions = ("cancel", "retry", "requeue")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.cancel_run, "cancelled")

    @admin.action(description="Retry (branches and workers)")
    def retry(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.retry_run, "started again")

    @admin.action(description="Requeue (nudge what is queued)")
    def requeue(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.requeue_run, "requeued")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Run], act: Callable[..., Run], done: str
    ) -> None:
        for run in queryset.select_related("organization"):
            try:
                act(self.actor(request, run), run.pk, as_administrator=True)
            except AccountsError as error:
                self.message_user(request, f"Run {run.pk}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Run {run.pk} {done}.")


@admin.register(Prompt)
class PromptAdmin(ReadOnlyAdmin):
    private_fields = ("system", "tools")
    list_display = ("id", "version", "digest", "organization", "created_at")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("digest",)
    ordering = ("-id",)


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    private_fields = ("added", "response")
    list_display = (
        "id", "run_id", "number", "model", "stop_reason", "input_tokens", "output_tokens", "cost_usd",
        "started_at", "organization",
    )  # fmt: skip
    list_filter = ("stop_reason", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "model")
    ordering = ("-id",)


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnlyAdmin):
    private_fields = ("arguments", "result")
    list_display = ("id", "run_id", "step_id", "name", "state", "repeatable", "started_at", "organization")
    list_filter = ("state", "name", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "name", "key")
    ordering = ("-id",)


@admin.register(RunInput)
class RunInputAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = ("id", "run_id", "taken_at", "created_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "text")
    ordering = ("-id",)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = (
        "id",
        "run_id",
        "number",
        "conversation_id",
        "outcome",
        "state",
        "told_by_id",
        "organization",
    )
    list_filter = ("state", "outcome", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "text")
    ordering = ("-id",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    private_fields = ("title", "summary")
    list_display = (
        "id",
        "conversation_id",
        "level",
        "from_seq",
        "to_seq",
        "title",
        "created_at",
        "organization",
    )
    list_filter = ("level", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=conversation__id",)
    ordering = ("-id",)


@admin.register(Keeping)
class KeepingAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "conversation_id",
        "kept_seq",
        "failures",
        "not_before",
        "updated_at",
        "organization",
    )
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("=conversation__id",)
    ordering = ("-id",)
