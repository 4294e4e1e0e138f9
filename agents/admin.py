"""Agents and their work in the admin. Runs are to read, with actions that go through the services.

Bindings are here and not beside their model: whether an agent may be bound is known only where agents are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin_access import administered_levels, is_superuser, reachable
from accounts.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm
from accounts.errors import AccountsError
from agents import presets
from agents.egress.admin import EgressRuleAdmin as EgressRuleAdmin
from agents.models import (
    Agent,
    AgentLink,
    Breaker,
    Checkpoint,
    CortexJob,
    CortexLog,
    Keeping,
    McpServer,
    McpTool,
    Profile,
    Prompt,
    Report,
    Run,
    RunInput,
    SandboxSetting,
    Step,
    Synthesis,
    ToolCall,
    ToolPolicy,
    WorkingEvent,
    WorkingState,
)
from agents.questions import admin as questions_admin
from agents.services import runs
from agents.services.agents import create_agent, update_agent
from messaging.models import Binding

__all__ = ["questions_admin"]

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


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    private_fields = ("title", "input", "result", "failure", "status_text", "cancel_reason")
    list_display = (
        "id", "kind", "state", "title", "agent", "conversation_id", "parent_id", "created_at", "finished_at",
        "organization",
    )  # fmt: skip
    list_filter = ("kind", "state", ("agent", admin.RelatedOnlyFieldListFilter), OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("=id", "title", "=conversation__id")
    ordering = ("-id",)
    actions = ("cancel", "retry", "requeue")

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.cancel_run, "cancelled")

    @admin.action(description="Retry (branches and workers)")
    def retry(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.retry_run, "started again")

    @admin.action(description="Requeue (nudge what is queued)")
    def requeue(self, request: HttpRequest, queryset: QuerySet[Run]) -> None:
        self._each(request, queryset, runs.requeue_run, "requeued")

    def _each(
        self, request: HttpRequest, queryset: QuerySet[Run], act: Callable[..., Run], done: str
    ) -> None:
        for run in queryset.select_related("organization"):
            try:
                act(self.actor(request, run), run.pk, as_administrator=True)
            except AccountsError as error:
                self.message_user(request, f"Run {run.pk}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"Run {run.pk} {done}.")


@admin.register(Prompt)
class PromptAdmin(ReadOnlyAdmin):
    private_fields = ("system", "tools")
    list_display = ("id", "version", "digest", "organization", "created_at")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("digest",)
    ordering = ("-id",)


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    private_fields = ("added", "response")
    list_display = (
        "id", "run_id", "number", "model", "stop_reason", "input_tokens", "output_tokens", "cost_usd",
        "started_at", "organization",
    )  # fmt: skip
    list_filter = ("stop_reason", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "model")
    ordering = ("-id",)


@admin.register(ToolCall)
class ToolCallAdmin(ReadOnlyAdmin):
    private_fields = ("arguments", "result")
    list_display = ("id", "run_id", "step_id", "name", "state", "repeatable", "started_at", "organization")
    list_filter = ("state", "name", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "name", "key")
    ordering = ("-id",)


@admin.register(RunInput)
class RunInputAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = ("id", "run_id", "taken_at", "created_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "text")
    ordering = ("-id",)


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    private_fields = ("text",)
    list_display = (
        "id",
        "run_id",
        "number",
        "conversation_id",
        "outcome",
        "state",
        "told_by_id",
        "organization",
    )
    list_filter = ("state", "outcome", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=run__id", "text")
    ordering = ("-id",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    private_fields = ("title", "summary")
    list_display = (
        "id",
        "conversation_id",
        "level",
        "from_seq",
        "to_seq",
        "title",
        "created_at",
        "organization",
    )
    list_filter = ("level", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("=conversation__id",)
    ordering = ("-id",)


@admin.register(Keeping)
class KeepingAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "conversation_id",
        "kept_seq",
        "failures",
        "not_before",
        "updated_at",
        "organization",
    )
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("=conversation__id",)
    ordering = ("-id",)


@admin.register(AgentLink)
class AgentLinkAdmin(ReadOnlyAdmin):
    list_display = ("id", "first_agent", "first_user", "second_agent", "kind", "two_way", "organization")
    list_filter = ("kind", OrganizationFilter)
    list_select_related = ("organization", "first_agent", "first_user", "second_agent")
    search_fields = ("first_agent__name", "second_agent__name", "first_user__email")


class HeardAdmin(ReadOnlyAdmin):
    """Rows that only their audience may read; that they exist is for administrators to see."""

    list_select_related = ("agent", "organization")
    search_fields: tuple[str, ...] = ("=agent__id", "=audience_conversation__id")
    ordering = ("-id",)


@admin.register(WorkingEvent)
class WorkingEventAdmin(HeardAdmin):
    private_fields = ("summary", "detail")
    list_display = (
        "id",
        "type",
        "summary",
        "agent",
        "audience",
        "day",
        "importance",
        "created_at",
        "organization",
    )
    list_filter = ("type", "audience", OrganizationFilter)


@admin.register(Synthesis)
class SynthesisAdmin(HeardAdmin):
    private_fields = ("text",)
    list_display = (
        "id",
        "kind",
        "day",
        "agent",
        "audience",
        "event_count",
        "run_id",
        "created_at",
        "organization",
    )
    list_filter = ("kind", "audience", OrganizationFilter)


@admin.register(WorkingState)
class WorkingStateAdmin(HeardAdmin):
    list_display = ("id", "agent", "audience", "synthesised_at", "failures", "not_before", "organization")
    list_filter = ("audience", OrganizationFilter)


@admin.register(CortexJob)
class CortexJobAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "agent", "due_at", "last_finished_at", "failures", "organization")
    list_filter = ("name", OrganizationFilter)
    list_select_related = ("agent", "organization")
    ordering = ("agent_id", "name")


@admin.register(CortexLog)
class CortexLogAdmin(ReadOnlyAdmin):
    list_display = ("id", "created_at", "agent", "job", "event", "is_alarm", "text", "organization")
    list_filter = ("job", "event", "is_alarm", OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("text",)
    ordering = ("-id",)


@admin.register(Breaker)
class BreakerAdmin(ReadOnlyAdmin):
    list_display = ("id", "agent", "tool", "state", "failures", "trips", "next_try_at", "organization")
    list_filter = ("state", OrganizationFilter)
    list_select_related = ("agent", "organization")
    search_fields = ("tool",)
    ordering = ("-id",)


@admin.register(Profile)
class ProfileAdmin(ReadOnlyAdmin):
    list_display = ("id", "agent", "display_name", "status_line", "model", "made_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("agent", "organization")
    search_fields = ("display_name",)
    ordering = ("-id",)


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


from agents.autonomy import admin as autonomy_admin  # noqa: E402, F401
