"""Autonomy in the admin: what is changed goes through the services, which check and audit; stops are there to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin, TenantAdmin
from agents.autonomy import settings
from agents.models import Autonomy, AutonomyRule, Halt

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)
PAUSE = ("paused_at", "paused_by", "paused_reason")


@admin.register(Autonomy)
class AutonomyAdmin(TenantAdmin):
    addable = deletable = False
    list_display = (
        "agent",
        "level",
        "interval_s",
        "paused_at",
        "failures_in_row",
        "not_before",
        "organization",
    )
    list_filter = ("level", OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("agent__name",)
    ordering = ("agent__name", "id")
    set_here = ("level", *settings.BOUNDS, *settings.HOURS, "claim_unowned")
    seen = ("agent", *PAUSE, "failures_in_row", "not_before", "last_started_at", "looked_at")
    fields = ("organization", *set_here, *seen)
    readonly_fields = seen

    def save_model(self, request: HttpRequest, obj: Autonomy, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in self.set_here}
        settings.change_autonomy(self.actor(request, obj), obj.agent_id, **changes)


@admin.register(AutonomyRule)
class AutonomyRuleAdmin(TenantAdmin):
    addable = deletable = False
    list_display = ("organization", "ceiling", "paused_at", "paused_by", "updated_at")
    list_filter = ("ceiling",)
    list_select_related = ("organization", "paused_by")
    fields = ("organization", "ceiling", *PAUSE)
    readonly_fields = PAUSE
    ordering = ("organization__name",)

    def save_model(self, request: HttpRequest, obj: AutonomyRule, form: Any, change: bool) -> None:
        settings.set_ceiling(self.actor(request, obj), form.cleaned_data["ceiling"])


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    list_display = ("id", "asked_at", "agent", "by", "reason", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("agent", "by", "organization")
    ordering = ("-id",)
