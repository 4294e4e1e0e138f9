"""Secrets in the admin: values go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from accounts.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm
from accounts.errors import InvalidInput
from secret_store.models import DataKey, Secret, SecretUse, Vault
from secret_store.names import check_name, check_value
from secret_store.services import delete_secret, set_secret


class SecretForm(TenantForm):
    value = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted. It cannot be shown again, only replaced.",
    )

    class Meta:
        model = Secret
        fields = ("organization", "name", "category", "agent_id")
        labels = {"agent_id": "Agent number"}
        help_texts = {
            "name": "Capital letters, digits and _, such as OPENAI_API_KEY.",
            "agent_id": "For one agent, which then uses this value before the shared one. Empty: for all.",
        }

    def clean_name(self) -> str:
        return _as_form_error(check_name, self.cleaned_data["name"])

    def clean_value(self) -> str:
        return _as_form_error(check_value, self.cleaned_data["value"])


def _as_form_error(check: Any, value: str) -> str:
    try:
        return str(check(value))
    except InvalidInput as error:
        raise forms.ValidationError(str(error)) from None


@admin.register(Secret)
class SecretAdmin(TenantAdmin):
    form = SecretForm
    list_display = ("name", "category", "agent_id", "shown_hint", "organization", "updated_at")
    list_filter = ("category", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    search_fields = ("name",)

    @admin.display(description="ends with")
    def shown_hint(self, obj: Secret) -> str:
        return f"…{obj.hint}" if obj.hint else "—"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        return super().get_queryset(request).defer("nonce", "ciphertext")

    def get_fields(self, request: HttpRequest, obj: Secret | None = None) -> list[str]:
        shown = ["organization", "name", "agent_id", "category", "value"]
        return [*shown, "shown_hint", "created_at", "updated_at"] if obj else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Secret | None = None) -> list[str]:
        """A stored value is bound to its organization, agent and name; these cannot change under it."""
        return ["organization", "name", "agent_id", "shown_hint", "created_at", "updated_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: Secret, form: Any, change: bool) -> None:
        saved = set_secret(
            self.actor(request, obj),
            obj.organization,
            name=obj.name,
            value=form.cleaned_data["value"],
            category=obj.category,
            agent_id=obj.agent_id,
        )
        obj.pk = saved.pk

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The log of its uses goes with a secret, although nobody may delete from the log alone."""
        to_delete, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return to_delete, counts, lacking - {SecretUse._meta.verbose_name}, protected

    def delete_model(self, request: HttpRequest, obj: Secret) -> None:
        delete_secret(self.actor(request, obj), obj.organization, name=obj.name, agent_id=obj.agent_id)


@admin.register(DataKey)
class DataKeyAdmin(ReadOnlyAdmin):
    organization_path = None
    list_display = ("id", "master_fingerprint", "created_at")
    fields = ("master_fingerprint", "created_at")


@admin.register(SecretUse)
class SecretUseAdmin(ReadOnlyAdmin):
    list_display = ("secret", "purpose", "origin", "run_id", "count", "last_at", "organization")
    list_filter = (("organization", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("organization", "secret")
    search_fields = ("purpose",)
    fields = ("secret", "purpose", "origin", "run_id", "agent_id", "count", "first_at", "last_at")


@admin.register(Vault)
class VaultAdmin(ReadOnlyAdmin):
    organization_path = None
    list_display = ("id", "locked_at")
    fields = ("locked_at",)
