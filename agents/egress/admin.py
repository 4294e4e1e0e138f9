"""The way out in the admin: to read. Rules are set on the page of the network, which writes down who did."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from agents.models import EgressRefusal, EgressRule

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(EgressRule)
class EgressRuleAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "host", "port", "agent", "created_by", "created_at", "organization")
    list_filter = ("kind", OrganizationFilter)
    list_select_related = ("organization", "agent", "created_by")
    search_fields = ("host",)
    ordering = ("-id",)


@admin.register(EgressRefusal)
class EgressRefusalAdmin(ReadOnlyAdmin):
    list_display = ("id", "host", "port", "reason", "count", "last_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("host",)
    ordering = ("-id",)
