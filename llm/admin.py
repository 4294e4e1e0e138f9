"""Providers, models and routes in the admin; what each request cost, to read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin, TenantAdmin
from accounts.errors import AccountsError
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from llm.services.provider_test import test_provider
from llm.services.routing import forget_routing

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


class RoutingAdmin(TenantAdmin):
    """What routing keeps in memory is read again after a change."""

    def after_change(self, obj: Any) -> None:
        forget_routing(obj.organization_id)


@admin.register(Provider)
class ProviderAdmin(RoutingAdmin):
    list_display = ("name", "kind", "base_url", "secret_name", "enabled", "organization")
    list_filter = ("kind", "enabled", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "base_url", "secret_name")
    readonly_fields = ("created_at", "updated_at")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(ModelEntry)
class ModelEntryAdmin(RoutingAdmin):
    list_display = (
        "name", "label", "provider", "context_window", "input_price", "output_price", "enabled", "organization",
    )  # fmt: skip
    list_filter = ("enabled", ("provider", admin.RelatedOnlyFieldListFilter), OrganizationFilter)
    list_select_related = ("provider", "organization")
    search_fields = ("name", "label", "provider__name")
    actions = ("test",)

    @admin.action(description="Test: send a real request with a tool call")
    def test(self, request: HttpRequest, queryset: QuerySet[ModelEntry]) -> None:
        for entry in queryset.select_related("organization"):
            try:
                found = test_provider(self.actor(request, entry), entry.pk)
            except AccountsError as error:
                self.message_user(request, f"{entry}: {error}", messages.ERROR)
            else:
                level = messages.SUCCESS if found.ok else messages.ERROR
                self.message_user(request, f"{entry}: {found.in_words()}", level)


@admin.register(Route)
class RouteAdmin(RoutingAdmin):
    list_display = ("process", "position", "entry", "organization")
    list_filter = ("process", OrganizationFilter)
    list_select_related = ("entry", "organization")
    search_fields = ("entry__name", "entry__label")
    ordering = ("organization", "process", "position")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at", "process", "model_asked", "outcome", "input_tokens", "output_tokens", "cost_usd",
        "latency_ms", "requester_user", "organization",
    )  # fmt: skip
    list_filter = ("process", "outcome", "provider_name", OrganizationFilter)
    list_select_related = ("requester_user", "organization")
    search_fields = ("model_asked", "model_answered", "=run_id", "=conversation_id")
    ordering = ("-created_at",)
