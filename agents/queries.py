"""Reads. The actor comes first; a row of another organization, or of a conversation one is not in, is NotFound."""

from __future__ import annotations

from django.db.models import Prefetch, Q, QuerySet

from accounts.actor import Actor
from accounts.errors import Forbidden, NotFound
from accounts.models import Role
from agents.models import (
    LIVE_STATES,
    Agent,
    CallState,
    Report,
    ReportState,
    Run,
    RunKind,
    RunState,
    Step,
    ToolCall,
)
from messaging.models import Handling, Message, Participant


def get_agent(actor: Actor, agent_id: int) -> Agent:
    agent = Agent.objects.filter(organization=actor.organization, pk=agent_id).first()
    if agent is None:
        raise NotFound("There is no such agent.")
    return agent


def find_agent_by_slug(actor: Actor, slug: str) -> Agent | None:
    """Return the agent with its profile, if it has one."""
    rows = Agent.objects.select_related("profile")
    return rows.filter(organization=actor.organization, slug=slug).first()


def list_agents(actor: Actor) -> QuerySet[Agent]:
    return Agent.objects.filter(organization=actor.organization).order_by("name", "id")


def agent_names(organization_id: int) -> dict[int, str]:
    """Return the names of an organization's agents by id."""
    return dict(Agent.objects.filter(organization_id=organization_id).values_list("pk", "name"))


def readable_runs(actor: Actor) -> QuerySet[Run]:
    """Return the runs of conversations the actor takes part in: a run shows what was said there. A run outside of
    conversations is for whoever it works for; what agents do by themselves is for administrators."""
    mine = Participant.objects.filter(organization=actor.organization, person__user_id=actor.user.pk)
    return Run.objects.filter(
        Q(conversation_id__in=mine.values("conversation_id"))
        | Q(conversation=None, requester_user_id=actor.user.pk)
        | (Q(kind=RunKind.AUTONOMY) if actor.has_level(Role.ADMIN) else Q(pk=None)),
        organization=actor.organization,
    ).select_related("agent", "conversation")


def get_run(actor: Actor, run_id: int) -> Run:
    run = readable_runs(actor).filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def get_run_to_administer(actor: Actor, run_id: int) -> Run:
    """Return any run of the organization to an admin, who may stop or restart it without reading what it says."""
    actor.check_level(Role.ADMIN)
    run = (
        Run.objects.filter(organization=actor.organization, pk=run_id)
        .select_related("agent", "conversation")
        .first()
    )
    if run is None:
        raise NotFound("There is no such run.")
    return run


def list_runs(
    actor: Actor,
    *,
    conversation_id: int | None = None,
    live_only: bool = False,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Run]:
    """Return runs, newest first; `before` is the id where the page before ended."""
    rows = readable_runs(actor)
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    if live_only:
        rows = rows.filter(state__in=LIVE_STATES)
    if kind is not None:
        rows = rows.filter(kind=kind)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-id")[:limit])


def was_there(actor: Actor, run: Run) -> bool:
    """Say whether the actor took part in the run's conversation when the run began.

    What was said and reported in a conversation belongs to all who take part. What an agent recalled while it thought
    was weighed for those who were there.
    """
    return Participant.objects.filter(
        conversation_id=run.conversation_id or 0, person__user_id=actor.user.pk, joined_at__lte=run.created_at
    ).exists()


def list_steps(actor: Actor, run: Run) -> list[Step]:
    """Return a readable run's steps with their tool calls, in order; Forbidden to those who joined later."""
    get_run(actor, run.pk)
    if not was_there(actor, run):
        raise Forbidden("You joined this conversation after the run began.")
    calls = Prefetch("tool_calls", ToolCall.objects.order_by("position"))
    return list(Step.objects.filter(run_id=run.pk).order_by("number").prefetch_related(calls))


def current_tools(run_ids: list[int]) -> dict[int, str]:
    """Return the tool each run is calling now, by run id."""
    rows = ToolCall.objects.filter(run_id__in=run_ids, state=CallState.RUNNING).order_by("id")
    return dict(rows.values_list("run_id", "name"))


def is_settled(conversation_id: int) -> bool:
    """Say whether nothing is under way or untold; an idle interactive worker does not count."""
    busy = Run.objects.filter(conversation_id=conversation_id).filter(
        Q(state__in=[RunState.QUEUED, RunState.RUNNING])
    )
    if busy.exists():
        return False
    untold = Report.objects.filter(conversation_id=conversation_id, run__report_to=None).exclude(
        state=ReportState.TOLD
    )
    open_messages = Message.objects.filter(conversation_id=conversation_id, handling=Handling.UNANSWERED)
    return not untold.exists() and not open_messages.exists()


def scrubbing_mode(agent_id: int) -> str | None:
    """Return how an agent is shielded from secrets, if it was set."""
    found: dict[str, str] | None = (
        Agent.objects.filter(pk=agent_id).values_list("settings", flat=True).first()
    )
    return (found or {}).get("scrubbing")


def agent_slugs(organization_id: int) -> dict[int, str]:
    """Return the slugs of an organization's agents, by id."""
    return dict(Agent.objects.filter(organization_id=organization_id).values_list("pk", "slug"))
