"""Schedules and their ledger in the admin: to read, with acts that go through the services' rules."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin_base import ReadOnlyAdmin
from realtime.services import unit_of_work
from tasks.models import Firing, Schedule
from tasks.services.schedules import acts
from tasks.services.schedules.rows import hold, tell

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    private_fields = ("name", "prompt", "stopped_reason")
    list_display = (
        "id", "name", "state", "kind", "expression", "interval_s", "once_at", "time_zone", "next_due_at", "owner",
        "failures_in_row", "organization",
    )  # fmt: skip
    list_filter = ("state", "kind", OrganizationFilter)
    list_select_related = ("owner", "organization")
    search_fields = ("=id", "name")
    ordering = ("-id",)
    actions = ("pause",)

    @admin.action(description="Pause")
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """An administrator stops what runs in their organization without reading what it says."""
        for row in queryset:
            with unit_of_work():
                schedule = hold(row)
                paused = acts.lay_by(schedule, reason=f"Paused by {request.user}", now=timezone.now())
                if paused:
                    schedule.save()
                    tell(schedule)
                    self.audit(request, schedule, "paused")
            self.message_user(request, f"Schedule {row.pk} {'paused' if paused else 'is not active'}.")


@admin.register(Firing)
class FiringAdmin(ReadOnlyAdmin):
    private_fields = ("outcome", "failure")
    list_display = (
        "id", "schedule_id", "due_at", "count", "trigger", "decision", "reason", "execution", "delivery", "run_id",
        "cost_usd", "organization",
    )  # fmt: skip
    list_filter = ("decision", "reason", "execution", "delivery", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=id", "=schedule__id", "=run_id")
    ordering = ("-id",)
