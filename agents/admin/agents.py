"""Agents, their links and their bindings.

Bindings are here and not beside their model: whether an agent may be bound is known only where agents are.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin_access import administered_levels, is_superuser, reachable
from accounts.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm
from agents import presets
from agents.models import (
    Agent,
    AgentLink,
)
from agents.services.agents import create_agent, update_agent
from messaging.models import Binding

OrganizationFilter = ("organization", admin.RelatedOnlyFieldListFilter)


class NewAgentForm(TenantForm):
    preset = forms.ChoiceField(
        choices=[(preset.key, preset.label) for preset in presets.PRESETS.values()],
        initial=presets.DEFAULT,
        widget=UnfoldAdminSelectWidget(),
        help_text="Where its texts begin; they can be changed afterwards.",
    )


@admin.register(Agent)
class AgentAdmin(TenantAdmin):
    list_display = ("name", "slug", "tagline", "enabled", "organization", "updated_at")
    list_filter = ("enabled", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "slug", "tagline")
    readonly_fields = ("created_at", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Agent | None = None) -> list[str]:
        shown = ["organization", "name", "slug", "preset"]
        texts = ["tagline", "soul", "identity", "role", "settings", "enabled", "created_at", "updated_at"]
        return [*shown, *texts] if obj else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> list[str]:
        fixed = ["slug", "preset"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_form(self, request: HttpRequest, obj: Agent | None = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewAgentForm
        return super().get_form(request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Agent, form: Any, change: bool) -> None:
        actor, data = self.actor(request, obj), form.cleaned_data
        if change:
            update_agent(actor, obj.pk, **{name: data[name] for name in form.changed_data})
        else:
            obj.pk = create_agent(actor, name=data["name"], slug=data["slug"], preset=data["preset"]).pk


class BindingForm(TenantForm):
    agent = forms.ModelChoiceField(Agent.objects.none(), widget=UnfoldAdminSelectWidget())

    class Meta:
        model = Binding
        fields = ("organization", "account", "position", "conversation_ids", "sender_ids", "require_mention")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["agent"].initial = self.instance.agent_id

    def save(self, commit: bool = True) -> Any:
        self.instance.agent_id = self.cleaned_data["agent"].pk
        return super().save(commit)


@admin.register(Binding)
class BindingAdmin(TenantAdmin):
    form = BindingForm
    list_display = ("account", "agent_id", "position", "require_mention", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("account", "organization")
    search_fields = ("account__platform", "account__name")
    fields = (
        "organization",
        "account",
        "agent",
        "position",
        "conversation_ids",
        "sender_ids",
        "require_mention",
    )

    def get_form(self, request: HttpRequest, obj: Binding | None = None, **kwargs: Any) -> Any:
        kwargs["fields"] = [name for name in self.fields if name != "agent"]
        form = super().get_form(request, obj, **kwargs)
        agents: Any = Agent.objects.all()
        if not is_superuser(request):
            agents = reachable(Agent, list(administered_levels(request)))
        form.base_fields["agent"].queryset = agents.order_by("name")
        return form


@admin.register(AgentLink)
class AgentLinkAdmin(ReadOnlyAdmin):
    list_display = ("id", "first_agent", "first_user", "second_agent", "kind", "two_way", "organization")
    list_filter = ("kind", OrganizationFilter)
    list_select_related = ("organization", "first_agent", "first_user", "second_agent")
    search_fields = ("first_agent__name", "second_agent__name", "first_user__email")
