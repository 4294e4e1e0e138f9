"""Stored events in the admin."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from realtime.models import Event, EventCounter


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    private_fields = ("payload",)
    list_display = (
        "number",
        "kind",
        "conversation_id",
        "user_id",
        "minimum_level",
        "organization",
        "created_at",
    )
    list_filter = ("kind", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("kind", "=conversation_id", "=number")
    ordering = ("-created_at",)


@admin.register(EventCounter)
class EventCounterAdmin(ReadOnlyAdmin):
    organization_path = None
    list_display = ("organization", "last_number")
    list_select_related = ("organization",)
