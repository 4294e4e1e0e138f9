"""Stored events and notices in the admin."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from realtime.models import Event, EventCounter, Notice, NoticeSetting


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


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    private_fields = ("title", "text")
    list_display = (
        "id",
        "kind",
        "user",
        "subject",
        "subject_id",
        "count",
        "read_at",
        "mail",
        "organization",
        "updated_at",
    )
    list_filter = ("kind", "mail", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization", "user")
    search_fields = ("kind", "=id", "user__email")
    ordering = ("-updated_at",)


@admin.register(NoticeSetting)
class NoticeSettingAdmin(ReadOnlyAdmin):
    list_display = ("user", "mailed_kinds", "organization")
    list_select_related = ("organization", "user")
    search_fields = ("user__email",)
