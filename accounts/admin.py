"""Accounts in the admin. Members and tokens change through the services, which know the rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.admin_access import is_superuser
from accounts.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm
from accounts.errors import AccountsError
from accounts.models import (
    ApiToken,
    AuditEvent,
    Identity,
    Membership,
    Organization,
    Person,
    SignInLink,
    User,
)
from accounts.services.links import create_invitation
from accounts.services.members import add_member, change_role, remove_member, sync_staff
from accounts.services.tokens import revoke_token

admin.site.unregister(Group)

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """Organizations are made by set-up and never deleted: their audit trail stays."""

    organization_path = "pk"
    addable = deletable = False
    list_display = ("name", "slug", "time_zone", "created_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "time_zone", "created_at")
    readonly_fields = ("slug", "created_at")

    def organization_of(self, obj: Organization) -> Organization:
        return obj


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class ChangedUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


@admin.register(User)
class UserAdmin(TenantAdmin, DjangoUserAdmin):
    """Superusers edit users; administrators see those who belong to their organizations, and no more.

    A user may belong elsewhere too, so an organization's administrator must not change a login.
    """

    organization_path = "memberships__organization"
    deletable = False
    form, add_form, change_password_form = ChangedUserForm, NewUserForm, AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    readonly_fields = ("is_staff", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Profile", {"fields": ("name", "time_zone")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    seen_by_administrators = (
        (None, {"fields": ("email", "name", "time_zone", "is_active", "last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    def within(self, rows: QuerySet[User], organization_ids: list[int]) -> QuerySet[User]:
        members = Membership.objects.filter(organization__in=organization_ids)
        return rows.filter(pk__in=members.values("user"))

    def organization_of(self, obj: User) -> None:
        return None

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_view_permission(request) and (
            obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()
        )

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def get_list_filter(self, request: HttpRequest) -> Any:
        return self.list_filter if is_superuser(request) else ("is_active",)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if not is_superuser(request):
            return self.seen_by_administrators
        return super().get_fieldsets(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.email = obj.email.lower()
        super().save_model(request, obj, form, change)
        sync_staff(obj)


class MembershipForm(TenantForm):
    """A new member is named by address, so that nobody can browse the users of others."""

    email = forms.EmailField(
        widget=UnfoldAdminEmailInputWidget(), help_text="A user with this address is made if there is none."
    )

    class Meta:
        model = Membership
        fields = ("organization", "role")


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    form = MembershipForm
    list_display = ("user", "email", "role", "organization", "created_at")
    list_filter = ("role", OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name")
    readonly_fields = ("user", "created_at")
    actions = ("invite",)

    @admin.display(description="e-mail", ordering="user__email")
    def email(self, obj: Membership) -> str:
        return obj.user.email

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> list[str]:
        return ["organization", "user", "role", "created_at"] if obj else ["organization", "email", "role"]

    def get_form(self, request: HttpRequest, obj: Membership | None = None, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = TenantForm
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        actor = self.actor(request, obj)
        if change:
            saved = change_role(actor, obj.user_id, form.cleaned_data["role"])
        else:
            saved = add_member(actor, email=form.cleaned_data["email"], role=form.cleaned_data["role"])
        obj.pk, obj.user, obj.role = saved.pk, saved.user, saved.role

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(self.actor(request, obj), obj.user_id)

    @admin.action(description="Make a sign-in link for a new member")
    def invite(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset.select_related("organization", "user"):
            try:
                raw = create_invitation(self.actor(request, membership), membership.user_id)
            except AccountsError as error:
                self.message_user(request, f"{membership.user.email}: {error}", messages.ERROR)
                continue
            path = reverse("sign_in_link", args=[raw])
            self.message_user(
                request, f"Give this to {membership.user.email}; it works once: {settings.PUBLIC_URL}{path}"
            )


@admin.register(Person)
class PersonAdmin(TenantAdmin):
    list_display = ("display_name", "user", "organization", "created_at")
    list_filter = (OrganizationFilter,)
    list_select_related = ("user", "organization")
    search_fields = ("display_name", "user__email")
    fields = ("organization", "display_name", "about", "user", "created_at")
    readonly_fields = ("created_at",)


@admin.register(Identity)
class IdentityAdmin(TenantAdmin):
    list_display = ("person", "platform", "external_id", "display_name", "organization")
    list_filter = ("platform", OrganizationFilter)
    list_select_related = ("person", "organization")
    search_fields = ("external_id", "display_name", "person__display_name")
    readonly_fields = ("created_at",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Tokens are made where they can be shown once: on their page and over the API."""

    list_display = ("name", "prefix", "user", "organization", "last_used_at", "expires_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("name", "prefix", "user__email")
    fields = (
        "organization", "user", "name", "prefix", "scopes",
        "created_at", "expires_at", "last_used_at", "revoked_at",
    )  # fmt: skip
    actions = ("revoke",)

    @admin.action(description="Revoke")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset.select_related("organization"):
            revoke_token(self.actor(request, token), token.pk)
        self.message_user(request, "Revoked.")


@admin.register(SignInLink)
class SignInLinkAdmin(ReadOnlyAdmin):
    organization_path = None
    list_display = ("user", "created_at", "expires_at", "used_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    fields = ("user", "created_at", "expires_at", "used_at")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("number", "at", "actor_name", "action", "target", "organization")
    list_filter = ("action", "actor_kind", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("action", "target", "actor_name")
    ordering = ("-at",)
