"""How people hear of an approval: an event for pages, and words in its conversation.

The event that everyone hears says only which approval changed: what it asks may have been said in private.
"""

from __future__ import annotations

from typing import Any

from accounts.models import Role
from messaging.services.messages import append_outbound
from realtime.services import NewEvent, record
from tasks.models import Approval
from tasks.services.approvals import notices
from tasks.services.approvals.kinds import executor_for


def changed(approval: Approval) -> None:
    """Record `approval.changed`, for those of the deciding role, those in the conversation and who asked; tell the asker."""
    payload: dict[str, Any] = {
        "approval": {"id": approval.pk, "kind": approval.kind, "state": str(approval.state)}
    }
    events = [NewEvent("approval.changed", payload, minimum_level=_level(approval))]
    if approval.conversation_id is not None:
        events.append(NewEvent("approval.changed", payload, conversation_id=approval.conversation_id))
    elif approval.is_proposal and approval.requester_user_id is not None:
        events.append(NewEvent("approval.changed", payload, user_id=approval.requester_user_id))
    record(approval.organization_id, *events)
    notices.follow(approval)
    executor_for(approval.kind).told(approval)


def say(approval: Approval, text: str, *, key: str) -> None:
    """Say something to the people of the approval's conversation, if it has one."""
    if approval.conversation_id is not None:
        append_outbound(approval.conversation_id, run_id=None, author_name="Approvals", text=text, key=key)


def _level(approval: Approval) -> int:
    level = Role(approval.minimum_role).level
    return max(level, Role.MODERATOR.level) if approval.conversation_id is not None else level
