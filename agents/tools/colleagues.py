"""How one agent hands work to another: along a link, under the requester's authority, and not for ever.

A chain ends after a few hands, and a conversation's hour holds so many hand-overs; both are checked here and not by the model.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from pydantic import Field

from agents.context.history import clean_name
from agents.engine import wakeups
from agents.errors import ToolFailed, ToolRetry
from agents.links.queries import Colleague, colleagues_of
from agents.models import Run, RunKind
from agents.processes import limits
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.delegate import check_room
from realtime.models import NoticeKind
from realtime.notices.services import Subject, notify
from tasks.models import Happening
from tasks.services.wakes.ringing import happened

MOST_HOPS = 4
MOST_IN_AN_HOUR = 30


class SendAgentMessage(Arguments):
    agent: str = Field(description="Whom to ask, by name.", min_length=1, max_length=80)
    message: str = Field(
        description="What you want, complete in itself: the other agent does not see this conversation.",
        min_length=3,
        max_length=20_000,
    )


def send_agent_message(context: ToolContext, arguments: SendAgentMessage) -> ToolOutput:
    run = context.run
    if run.conversation_id is None:
        raise ToolFailed("there is no conversation to bring the answer to")
    other = _find(colleagues_of(run.agent_id), arguments.agent)
    hops = int(run.input.get("hops", 0)) + 1
    if hops > MOST_HOPS:
        why = f"This was handed from agent to agent {MOST_HOPS} times already."
        _tell(run, why)
        raise ToolFailed(f"{why} Answer with what there is, and say that the limit was reached.")
    _check_hour(run)
    check_room(run, RunKind.COLLEAGUE, arguments.message)
    child = wakeups.start_child(
        run,
        kind=RunKind.COLLEAGUE,
        task=arguments.message,
        key=context.key,
        active_limit_s=limits.active_limit_s(other.agent, RunKind.BRANCH),
        agent_id=other.agent.pk,
        more={"hops": hops, "asked_by": clean_name(run.agent.name)},
    )
    happened(
        run.organization_id,
        Happening.AGENT_MESSAGE,
        key=f"run:{child.pk}",
        payload={"from": clean_name(run.agent.name), "run": child.pk},
        agent_ids=[other.agent.pk],
    )
    return ToolOutput(
        f"{other.agent.name} has it as #{child.pk}. The answer comes to the conversation as a report; do not wait for it."
    )


def _find(colleagues: list[Colleague], name: str) -> Colleague:
    open_to = [each for each in colleagues if each.may_ask]
    wanted = name.strip().lstrip("@").casefold()
    found = [each for each in open_to if wanted in (each.agent.name.casefold(), each.agent.slug)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.agent.name for each in open_to)
    raise ToolRetry(
        f"You cannot ask {name[:60]!r}. "
        + (f"You can ask: {known}." if known else "You are linked with nobody.")
    )


def _check_hour(run: Run) -> None:
    recent = Run.objects.filter(
        conversation=run.conversation,
        kind=RunKind.COLLEAGUE,
        created_at__gt=timezone.now() - timedelta(hours=1),
    )
    if recent.count() >= MOST_IN_AN_HOUR:
        why = f"Agents asked each other {MOST_IN_AN_HOUR} times in this conversation within an hour."
        _tell(run, why)
        raise ToolFailed(f"{why} That is the limit.")


def _tell(run: Run, why: str) -> None:
    """Tell whoever asked, so that it is not for the models to say."""
    if run.requester_user_id is not None:
        notify(
            run.organization_id,
            [run.requester_user_id],
            kind=NoticeKind.BREAKER,
            key=f"hand-overs:{run.conversation_id}",
            title=f"{run.agent.name} was kept from asking another agent",
            text=why,
            subject=Subject("run", run.pk),
            conversation_id=run.conversation_id,
        )


TOOLS = (
    Tool(
        name="send_agent_message",
        description="Ask an agent you are linked with to do something. Returns at once.",
        arguments=SendAgentMessage,
        function=send_agent_message,
        kinds=frozenset({"channel", "branch", "colleague"}),
    ),
)
