"""Platforms and what was said on them. Text shows to superusers alone, here as everywhere else."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin, TenantAdmin
from messaging.models import (
    Attachment,
    Conversation,
    Delivery,
    Message,
    Participant,
    PlatformAccount,
    Reaction,
)

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(PlatformAccount)
class PlatformAccountAdmin(TenantAdmin):
    """The platform is fixed once there are conversations on it, so it can only be chosen at the start."""

    deletable = False
    list_display = ("platform", "name", "enabled", "state", "state_reason", "organization")
    list_filter = ("platform", "enabled", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("platform", "name")
    fields = (
        "organization",
        "platform",
        "name",
        "settings",
        "enabled",
        "state",
        "state_reason",
        "created_at",
    )

    def get_readonly_fields(self, request: object, obj: PlatformAccount | None = None) -> list[str]:
        fixed = ["organization", "platform"] if obj else []
        return [*fixed, "state", "state_reason", "created_at"]


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    private_fields = ("title",)
    list_display = (
        "id",
        "title",
        "kind",
        "account",
        "agent_id",
        "last_seq",
        "last_message_at",
        "organization",
    )
    list_filter = ("kind", ("archived_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("account", "organization")
    search_fields = ("title", "=id", "external_id")
    ordering = ("-id",)


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin):
    list_display = ("id", "conversation_id", "person", "last_read_seq", "joined_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("person", "organization")
    search_fields = ("person__display_name", "=conversation__id")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    private_fields = ("text", "metadata", "handling_reason")
    list_display = (
        "id", "conversation_id", "seq", "direction", "author_name", "text", "handling", "created_at", "organization",
    )  # fmt: skip
    list_filter = ("direction", "handling", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("text", "author_name", "=conversation__id")
    ordering = ("-id",)


@admin.register(Reaction)
class ReactionAdmin(ReadOnlyAdmin):
    list_display = ("id", "emoji", "message_id", "person", "run_id", "created_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("person", "organization")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Contents are for those who take part in the conversation, and so are names."""

    private_fields = ("name",)
    list_display = (
        "id", "conversation_id", "name", "media_type", "size_bytes", "uploaded_by", "run_id", "created_at", "organization",
    )  # fmt: skip
    list_filter = ("media_type", OrganizationFilter)
    list_select_related = ("uploaded_by", "organization")
    search_fields = ("name", "=conversation__id")
    ordering = ("-id",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = (
        "id", "message_id", "chunk", "state", "attempts", "next_attempt_at", "finished_at", "organization",
    )  # fmt: skip
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("key", "platform_id", "text")
    ordering = ("-id",)
