"""What holds for tools, and where those from outside come from."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from agents.models import (
    McpServer,
    McpTool,
    SandboxSetting,
    ToolPolicy,
)

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(ToolPolicy)
class ToolPolicyAdmin(ReadOnlyAdmin):
    """Policies are set on the page of the tools, which writes down who did."""

    list_display = ("id", "tool", "agent", "policy", "updated_by", "updated_at", "organization")
    list_filter = ("policy", "tool", OrganizationFilter)
    list_select_related = ("organization", "agent", "updated_by")
    search_fields = ("tool",)
    ordering = ("-id",)


@admin.register(McpServer)
class McpServerAdmin(ReadOnlyAdmin):
    """Servers are set up on their page, which checks what they may be and writes down who did."""

    list_display = ("id", "name", "agent", "transport", "enabled", "state", "connected_at", "organization")
    list_filter = ("transport", "state", "enabled", OrganizationFilter)
    list_select_related = ("organization", "agent")
    search_fields = ("name",)
    ordering = ("-id",)


@admin.register(McpTool)
class McpToolAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "local_name",
        "server",
        "is_offered",
        "listed",
        "approved_by",
        "approved_at",
        "organization",
    )
    list_filter = ("listed", OrganizationFilter)
    list_select_related = ("organization", "server", "approved_by")
    search_fields = ("local_name", "remote_name")
    ordering = ("-id",)


@admin.register(SandboxSetting)
class SandboxSettingAdmin(ReadOnlyAdmin):
    """The walls around commands are set on their own page, which checks the paths and writes down who did."""

    list_display = ("id", "agent", "mode", "network", "updated_by", "updated_at", "organization")
    list_filter = ("mode", "network", OrganizationFilter)
    list_select_related = ("organization", "agent", "updated_by")
    ordering = ("-id",)
