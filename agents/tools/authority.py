"""Authority at the moment of the call: requester ∩ conversation ∩ agent, read now."""

from __future__ import annotations

from accounts.models import Membership
from agents.autonomy.levels import check_level
from agents.errors import ToolFailed
from agents.models import Agent, Run


def check_authority(run: Run, tool: str) -> None:
    """Raise ToolFailed when whoever asked may no longer act here, the agent was switched off, or does not go so far."""
    if not Agent.objects.filter(pk=run.agent_id, enabled=True).exists():
        raise ToolFailed("this agent is switched off")
    check_level(run, tool)
    if run.requester_user_id is None:
        return
    if not Membership.objects.filter(
        organization_id=run.organization_id, user_id=run.requester_user_id, user__is_active=True
    ).exists():
        raise ToolFailed("the person who asked is no longer a member of this organization")
