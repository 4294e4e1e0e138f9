"""Wakes and what they brought, in the admin: to read. They are made and changed on the pages of the agents."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from tasks.models import Wake, WakeEvent, WakePayload

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Wake)
class WakeAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "name", "agent_id", "trigger", "happening", "minimum_level", "enabled", "next_due_at",
        "organization",
    )  # fmt: skip
    list_filter = ("trigger", "enabled", "built_in", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=id", "name")
    exclude = ("token_digest",)
    ordering = ("-id",)


@admin.register(WakeEvent)
class WakeEventAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "wake", "agent_id", "state", "count", "tries", "run_id", "reason", "first_at", "closed_at", "organization",
    )  # fmt: skip
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("wake", "organization")
    search_fields = ("=id", "wake__name", "=run_id")
    ordering = ("-id",)


@admin.register(WakePayload)
class WakePayloadAdmin(ReadOnlyAdmin):
    list_display = ("id", "event_id", "from_outside", "created_at", "organization")
    list_filter = ("from_outside", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=id", "=event__id")
    ordering = ("-id",)
