"""Questions in the admin: to read. They are answered where they were asked."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from agents.models import Question


@admin.register(Question)
class QuestionAdmin(ReadOnlyAdmin):
    private_fields = ("text", "options", "answer")
    list_display = (
        "id",
        "conversation_id",
        "run_id",
        "state",
        "waits",
        "answered_by",
        "expires_at",
        "organization",
    )
    list_filter = ("state", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("answered_by", "organization")
    search_fields = ("text", "=conversation__id")
    ordering = ("-id",)
