"""Which policy holds for a tool, read when it counts and not before."""

from __future__ import annotations

from django.db.models import Q

from agents.models import Policy, ToolPolicy
from agents.tools.base import Tool


def set_policies(organization_id: int, agent_id: int) -> dict[str, str]:
    """Return what the organization has set, by tool; what it set for the agent counts before what it set for all."""
    rows = ToolPolicy.objects.filter(
        Q(agent_id=None) | Q(agent_id=agent_id), organization_id=organization_id
    ).values_list("tool", "policy", "agent_id")
    ordered = sorted(rows, key=lambda row: row[2] is not None)
    return {tool: policy for tool, policy, _ in ordered}


def policy_of(tool: Tool, policies: dict[str, str]) -> str:
    """Return the policy that holds; a run must always be able to end, so what ends it is allowed."""
    if tool.ends_run and not tool.asks_people:
        return Policy.ALLOW
    policy = policies.get(tool.name) or policies.get(tool.alike) or tool.policy
    return Policy.ALLOW if tool.asks_people and policy == Policy.ASK else policy
