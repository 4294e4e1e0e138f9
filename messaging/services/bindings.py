"""Deciding which agent hears a message from a platform. Without a rule that says so, none does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from messaging.adapters.base import InboundMessage
from messaging.models import Binding, PlatformAccount

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Decision:
    """The agent that hears it, or None and the reason for the log."""

    agent_id: int | None
    reason: str = ""


def resolve(account: PlatformAccount, inbound: InboundMessage) -> Decision:
    """Return the agent of the first binding that names the conversation and the sender, `*` naming all.

    That binding alone decides: one that requires a mention does not pass the message on to those after it.
    """
    if not account.enabled:
        return Decision(None, "the platform account is switched off")
    bindings = list(Binding.objects.filter(account=account, organization_id=account.organization_id))
    if not bindings:
        return Decision(None, "the platform account has no bindings")
    here = [binding for binding in bindings if _names(binding.conversation_ids, inbound.conversation_id)]
    if not here:
        return Decision(None, "no binding names this conversation")
    found = next((binding for binding in here if _names(binding.sender_ids, inbound.sender_id)), None)
    if found is None:
        return Decision(None, "no binding names this sender")
    if found.require_mention and not inbound.mentions_agent and not inbound.is_direct:
        return Decision(None, "the agent was not mentioned")
    return Decision(found.agent_id)


def _names(listed: Collection[str], wanted: str) -> bool:
    return EVERYONE in listed or wanted in listed
