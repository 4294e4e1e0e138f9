"""The base of every admin class: rows, choices and rights follow membership instead of Django's permissions.

Owners and administrators reach the rows of their organizations, superusers all of them; nobody else
reaches anything. What was said in conversations (`private_fields`) shows to superusers alone: running an
organization is no right to read along.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import BinaryField, ForeignKey, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from accounts.actor import Actor
from accounts.admin_access import (
    actor_in,
    administered_levels,
    belongs_to_organization,
    is_superuser,
    reachable,
)
from accounts.errors import AccountsError
from accounts.models import Membership, Organization, Role, User
from accounts.services import audit


class TenantForm(forms.ModelForm):
    """Refuse a row that would join two organizations, which a superuser or an administrator of both could."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        organization = data.get("organization") or getattr(self.instance, "organization", None)
        if organization is None:
            return data
        for name, value in list(data.items()):
            if isinstance(value, Model) and not _is_within(value, organization):
                self.add_error(name, "This belongs to another organization.")
        return data


def _is_within(value: Model, organization: Organization) -> bool:
    if isinstance(value, User):
        return Membership.objects.filter(organization=organization, user=value).exists()
    if belongs_to_organization(type(value)):
        return bool(getattr(value, "organization_id") == organization.pk)  # noqa: B009
    return True


class TenantAdmin(ModelAdmin):
    """Rows that belong to an organization.

    `organization_path` leads from the row to it; None leaves the rows to superusers.
    """

    organization_path: ClassVar[str | None] = "organization"
    edit_role: ClassVar[Role] = Role.ADMIN
    read_only: ClassVar[bool] = False
    addable: ClassVar[bool] = True
    deletable: ClassVar[bool] = True
    private_fields: ClassVar[tuple[str, ...]] = ()
    form = TenantForm
    list_per_page = 50
    show_full_result_count = False
    actions_on_top = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        if is_superuser(request):
            return rows
        rows = self.within(rows, list(administered_levels(request)))
        return rows.defer(*self.private_fields) if self.private_fields else rows

    def within(self, rows: QuerySet[Any], organization_ids: list[int]) -> QuerySet[Any]:
        if self.organization_path is None:
            return rows.none()
        return rows.filter(**{f"{self.organization_path}__in": organization_ids})

    def organization_of(self, obj: Any) -> Organization | None:
        return obj.organization if self.organization_path else None

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Blank what is private before the row can be shown, even in its own name."""
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and not is_superuser(request):
            for name in self.private_fields:
                setattr(obj, name, None if self.opts.get_field(name).null else "")
        return obj

    # What may be done

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.reaches(request, obj, Role.ADMIN)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.read_only and self.reaches(request, obj, self.edit_role)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not self.read_only and self.addable and self.reaches(request, None, self.edit_role)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not self.read_only and self.deletable and self.reaches(request, obj, self.edit_role)

    def reaches(self, request: HttpRequest, obj: Any, role: Role) -> bool:
        if is_superuser(request):
            return True
        if self.organization_path is None:
            return False
        levels = administered_levels(request)
        if obj is None:
            return any(level >= role.level for level in levels.values())
        organization = self.organization_of(obj)
        return organization is not None and levels.get(organization.pk, 0) >= role.level

    # What is shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.read_only or self.fields:
            return list(super().get_fields(request, obj))
        hidden = () if is_superuser(request) else self.private_fields
        return [
            self._shown_name(field)
            for field in self.opts.concrete_fields
            if field.name not in hidden and not isinstance(field, BinaryField)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if self.read_only:
            return list(self.get_fields(request, obj))
        fixed = ["organization"] if obj is not None and self.organization_path == "organization" else []
        return [*fixed, *super().get_readonly_fields(request, obj)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = super().get_list_display(request)
        hidden = () if is_superuser(request) else self.private_fields
        return [name for name in shown if name not in hidden]

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """Leave private text out of the search as well: finding it would tell what it says."""
        hidden = () if is_superuser(request) else self.private_fields
        return [name for name in super().get_search_fields(request) if name.split("__")[0] not in hidden]

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:
        if "queryset" not in kwargs and not is_superuser(request):
            kwargs["queryset"] = reachable(db_field.remote_field.model, list(administered_levels(request)))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        levels = administered_levels(request)
        if self.organization_path == "organization" and len(levels) == 1:
            initial.setdefault("organization", next(iter(levels)))
        return initial

    def _shown_name(self, field: Any) -> str:
        """Name a related row by its number where its own name might tell what was said."""
        related = self.admin_site._registry.get(field.related_model) if field.is_relation else None
        return str(field.attname if getattr(related, "private_fields", ()) else field.name)

    # What is done

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save and leave an audit entry naming the changed fields, not their values."""
        if not self.reaches(request, obj, self.edit_role):
            raise PermissionDenied
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            self.audit(request, obj, "changed" if change else "created", fields=form.changed_data)
        self.after_change(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            self.audit(request, obj, "deleted")
            super().delete_model(request, obj)
        self.after_change(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)

    def after_change(self, obj: Any) -> None:
        """Tell caches and the like; for classes that have any."""

    def audit(self, request: HttpRequest, obj: Any, what: str, **detail: Any) -> None:
        organization = self.organization_of(obj)
        if organization is not None:
            action = f"{self.opts.model_name}.{what}"
            actor = actor_in(request, organization)
            audit.record(actor, organization, action, str(obj), id=obj.pk, via="admin", **detail)

    def actor(self, request: HttpRequest, obj: Any) -> Actor:
        organization = self.organization_of(obj)
        assert organization is not None
        return actor_in(request, organization)

    # A service's refusal is shown, not raised

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._showing_refusals(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._showing_refusals(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._showing_refusals(request, super().changelist_view, *args, **kwargs)

    def _showing_refusals(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response: HttpResponse = view(request, *args, **kwargs)
        except AccountsError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return response


class ReadOnlyAdmin(TenantAdmin):
    """Rows that the system writes: shown whole, never edited here."""

    read_only = True
