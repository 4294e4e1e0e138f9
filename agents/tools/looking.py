"""What the tools of the cortex chat have in common: who asks, and lines about runs that quote only what they may read.

Authority is read at each call: the person of this private conversation must still be an administrator. They see that the runs of
others exist, and numbers about them; the words of a run only where they take part in its conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor, actor_for
from accounts.errors import AccountsError
from accounts.models import Membership, Role
from agents.context.history import indent
from agents.errors import ToolFailed, ToolRetry
from agents.models import Agent, Run
from agents.queries import find_agent_by_slug, list_agents, readable_runs
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from messaging.models import Conversation, ConversationKind

KIND = frozenset({"cortex"})
MOST_WORDS = 300


def asker(context: ToolContext) -> Actor:
    """Return the administrator who asks, or raise ToolFailed. Nobody else may be listening."""
    run = context.run
    membership = (
        Membership.objects.filter(
            organization_id=run.organization_id, user_id=run.requester_user_id or 0, user__is_active=True
        )
        .select_related("user", "organization")
        .first()
    )
    if membership is None or Role(membership.role).level < Role.ADMIN.level:
        raise ToolFailed("only administrators of the organization may look into the system")
    conversation = run.conversation
    if (
        conversation is None
        or conversation.kind != ConversationKind.DM
        or _listening(conversation) != [membership.user_id]
    ):
        raise ToolFailed("this is answered only in the administrator's own private conversation")
    return actor_for(membership)


def _listening(conversation: Conversation) -> list[int | None]:
    return list(conversation.participants.values_list("person__user_id", flat=True))


def looking_tool(
    name: str, description: str, arguments: type[Arguments], look: Callable[[Actor, Any], list[str]]
) -> Tool:
    """Make a tool of a function that reads for an administrator and returns lines."""

    def function(context: ToolContext, given: Any) -> ToolOutput:
        actor = asker(context)
        try:
            lines = look(actor, given)
        except AccountsError as error:
            raise ToolFailed(str(error)) from None
        return ToolOutput("\n".join(lines) or "Nothing.")

    return Tool(
        name=name,
        description=description,
        arguments=arguments,
        function=function,
        kinds=KIND,
        transactional=False,
        repeatable=True,
    )


def agent_named(actor: Actor, slug: str) -> Agent | None:
    """Return the agent, None for all of them. Raises ToolRetry with the names there are."""
    if not slug:
        return None
    agent = find_agent_by_slug(actor, slug)
    if agent is None:
        known = ", ".join(list_agents(actor).values_list("slug", flat=True))
        raise ToolRetry(f"There is no agent {slug[:60]!r}. There are: {known}.")
    return agent


def readable_ids(actor: Actor, runs: Iterable[Run]) -> set[int]:
    """Return which of the runs the actor may read the words of."""
    return set(readable_runs(actor).filter(pk__in=[run.pk for run in runs]).values_list("pk", flat=True))


def run_line(run: Run, *, may_read: bool) -> str:
    """Describe a run in a line; its title and what it failed with only to who may read it."""
    parts = [
        f"run {run.pk}", run.kind, run.state, f"agent {run.agent.slug}", f"begun {moment(run.created_at)}",
        f"ended {moment(run.finished_at)}" if run.finished_at else "", f"{run.active_ms / 1000:.1f} s of work",
        f"recovered {run.recoveries} times" if run.recoveries else "",
        f"failed with {run.failure.get('class', 'an error')}" if run.failure else "",
    ]  # fmt: skip
    line = "- " + ", ".join(part for part in parts if part)
    if not may_read:
        return line
    told = (run.failure or {}).get("message", "")
    return line + (f": {words(run.title)}" if run.title else "") + (f" ({words(told)})" if told else "")


def words(text: str, most: int = MOST_WORDS) -> str:
    """Return somebody's text as one that cannot pass for a line of ours."""
    short = text if len(text) <= most else f"{text[:most]} …"
    return indent(" ".join(short.split()))


def moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if at else "never"


def ago(hours: float) -> datetime:
    return timezone.now() - timedelta(hours=hours)
