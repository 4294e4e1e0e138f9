"""Working memory, and what the cortex does."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from agents.models import (
    Breaker,
    CortexJob,
    CortexLog,
    Profile,
    Synthesis,
    WorkingEvent,
    WorkingState,
)

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


class HeardAdmin(ReadOnlyAdmin):
    """Rows that only their audience may read; that they exist is for administrators to see."""

    list_select_related = ("agent", "organization")
    search_fields: tuple[str, ...] = ("=agent__id", "=audience_conversation__id")
    ordering = ("-id",)


@admin.register(WorkingEvent)
class WorkingEventAdmin(HeardAdmin):
    private_fields = ("summary", "detail")
    list_display = (
        "id",
        "type",
        "summary",
        "agent",
        "audience",
        "day",
        "importance",
        "created_at",
        "organization",
    )
    list_filter = ("type", "audience", OrganizationFilter)


@admin.register(Synthesis)
class SynthesisAdmin(HeardAdmin):
    private_fields = ("text",)
    list_display = (
        "id",
        "kind",
        "day",
        "agent",
        "audience",
        "event_count",
        "run_id",
        "created_at",
        "organization",
    )
    list_filter = ("kind", "audience", OrganizationFilter)


@admin.register(WorkingState)
class WorkingStateAdmin(HeardAdmin):
    list_display = ("id", "agent", "audience", "synthesised_at", "failures", "not_before", "organization")
    list_filter = ("audience", OrganizationFilter)


@admin.register(CortexJob)
class CortexJobAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "agent", "due_at", "last_finished_at", "failures", "organization")
    list_filter = ("name", OrganizationFilter)
    list_select_related = ("agent", "organization")
    ordering = ("agent_id", "name")


@admin.register(CortexLog)
class CortexLogAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "agent", "job", "event", "is_alarm", "text", "organization")
    list_filter = ("job", "event", "is_alarm", OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("text",)
    ordering = ("-id",)


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    list_display = ("id", "agent", "tool", "state", "failures", "trips", "next_try_at", "organization")
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("tool",)
    ordering = ("-id",)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ("id", "agent", "display_name", "status_line", "model", "made_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("agent", "organization")
    search_fields = ("display_name",)
    ordering = ("-id",)
