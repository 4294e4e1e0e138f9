"""What agents know. What a memory says shows to superusers alone: it may have been said in private."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from memory.models import Association, Consolidation, InboxItem, IngestedFile, Memory, MemoryEdit

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Memory)
class MemoryAdmin(ReadOnlyAdmin):
    """Changes go through the pages and the API, which keep what was there before."""

    private_fields = ("content", "digest", "source_name", "words", "embedding")
    list_display = (
        "id", "type", "content", "importance", "pinned", "audience", "source", "trusted", "agent_id", "created_at",
        "forgotten_at", "superseded_at", "organization",
    )  # fmt: skip
    list_filter = (
        "type",
        "audience",
        "source",
        "pinned",
        "trusted",
        ("forgotten_at", admin.EmptyFieldListFilter),
        ("superseded_at", admin.EmptyFieldListFilter),
        OrganizationFilter,
    )
    list_select_related = ("organization",)
    search_fields = ("content", "=id", "=agent_id")
    ordering = ("-id",)


@admin.register(Association)
class AssociationAdmin(ReadOnlyAdmin):
    list_display = ("id", "source_id", "relation", "target_id", "weight", "created_at", "organization")
    list_filter = ("relation", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=source__id", "=target__id")
    ordering = ("-id",)


@admin.register(MemoryEdit)
class MemoryEditAdmin(ReadOnlyAdmin):
    private_fields = ("before", "reason")
    list_display = ("id", "action", "memory_id", "user", "run_id", "reason", "created_at", "organization")
    list_filter = ("action", OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("=memory__id", "reason")
    ordering = ("-id",)


@admin.register(InboxItem)
class InboxItemAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "kind", "first_id", "second_id", "similarity", "created_at", "resolved_at", "resolution", "resolved_by",
        "organization",
    )  # fmt: skip
    list_filter = ("kind", "resolution", ("resolved_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("resolved_by", "organization")
    search_fields = ("=first__id", "=second__id")
    ordering = ("-id",)


@admin.register(Consolidation)
class ConsolidationAdmin(ReadOnlyAdmin):
    private_fields = ("before",)
    list_display = ("id", "survivor_id", "user", "run_id", "created_at", "undone_at", "organization")
    list_filter = (("undone_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("=survivor__id",)
    ordering = ("-id",)


@admin.register(IngestedFile)
class IngestedFileAdmin(ReadOnlyAdmin):
    """A file's name tells what it is about, and it may be for one person alone."""

    private_fields = ("name", "digest", "reason", "notice")
    list_display = (
        "id", "name", "state", "media_type", "size_bytes", "tries", "chunks_done", "chunks_total", "memories", "agent_id",
        "created_at", "finished_at", "organization",
    )  # fmt: skip
    list_filter = ("state", "media_type", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "=id", "=agent_id")
    ordering = ("-id",)
