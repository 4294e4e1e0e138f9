"""Approvals in the admin, to read: they change by verdicts of people alone, which the pages and the API take.

What an approval asks may have been said in private, so its words show to superusers alone.
"""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from tasks.models import Approval, ApprovalRule, Decision, Grant

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    private_fields = (
        "action",
        "title",
        "why",
        "preview",
        "discussion",
        "reason",
        "result",
        "digest",
        "basis",
    )
    list_display = (
        "id", "kind", "subject", "title", "state", "agent_id", "run_id", "requester_user", "minimum_role",
        "created_at", "expires_at", "organization",
    )  # fmt: skip
    list_filter = ("state", "kind", "four_eyes", OrganizationFilter)
    list_select_related = ("organization", "requester_user")
    search_fields = ("=id", "=run_id", "subject")
    ordering = ("-id",)


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    private_fields = ("comment",)
    list_display = ("id", "approval_id", "user", "verdict", "comment", "at", "organization")
    list_filter = ("verdict", OrganizationFilter)
    list_select_related = ("organization", "user")
    search_fields = ("=approval__id", "user__email")
    ordering = ("-id",)


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    private_fields = ("constraint",)
    list_display = (
        "id", "subject", "agent_id", "conversation_id", "given_by", "used", "uses_left", "ends_at", "revoked_at",
        "organization",
    )  # fmt: skip
    list_filter = ("subject", ("revoked_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("organization", "given_by")
    search_fields = ("=id", "subject", "given_by__email")
    ordering = ("-id",)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "kind", "subject", "agent_id", "minimum_role", "needed", "four_eyes", "expires_after_s", "organization",
    )  # fmt: skip
    list_filter = ("minimum_role", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("kind", "subject")
    ordering = ("-id",)
