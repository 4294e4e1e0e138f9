"""What a run may touch of what is known: only what all who listen may hear, and for everyone only if a moderator asked."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.errors import NotFound
from accounts.models import Membership, Role
from agents.context.memory_mode import forbidden_tools, memory_mode
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run, RunKind
from memory.listeners import Listeners
from memory.models import Audience, Memory
from memory.queries import get_audible
from messaging.models import Conversation


def listeners_of(run: Run) -> Listeners:
    """Return those who hear what a run says: everyone in its conversation; the organization, of an agent by itself."""
    if run.kind == RunKind.AUTONOMY:
        return Listeners(everyone=True)
    return Listeners.of(conversation_id=run.conversation_id)


def check_mode(run: Run, tool: str) -> None:
    """Raise ToolFailed when memory was switched off in the run's conversation since the run began."""
    if run.kind == RunKind.AUTONOMY:
        return
    conversation = Conversation.objects.filter(pk=run.conversation_id or 0).first()
    if tool in forbidden_tools(memory_mode(conversation)):
        raise ToolFailed("memory is switched off in this conversation")


def check_heard(run: Run, memory_ids: Iterable[int]) -> list[Memory]:
    """Return live memories that all who listen may hear; raises ToolRetry for any other."""
    found = []
    for memory_id in sorted(set(memory_ids)):
        try:
            found.append(get_audible(run.organization_id, run.agent_id, listeners_of(run), memory_id))
        except NotFound:
            raise ToolRetry(f"There is no memory {memory_id} here.") from None
    return found


def check_may_change(run: Run, memory_ids: Iterable[int]) -> list[Memory]:
    """Return memories that the run may retire; what everyone knows takes a moderator, as it does for people."""
    found = check_heard(run, memory_ids)
    if any(memory.audience == Audience.ORGANIZATION for memory in found) and not _asked_by_moderator(run):
        raise ToolFailed("what everyone knows is changed only when a moderator asks for it")
    return found


def _asked_by_moderator(run: Run) -> bool:
    membership = Membership.objects.filter(
        organization_id=run.organization_id, user_id=run.requester_user_id or 0, user__is_active=True
    ).first()
    return membership is not None and membership.level >= Role.MODERATOR.level
