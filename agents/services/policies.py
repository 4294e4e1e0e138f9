"""Setting which tools may run, ask first, or are off; and reading it for the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Role
from accounts.services import audit
from agents import queries
from agents.mcp.offer import tools_of_organization
from agents.models import Policy, ToolPolicy
from agents.processes.registry import PROCESSES
from agents.tools.base import Tool
from agents.tools.policies import policy_of
from agents.tools.registry import TOOLS
from realtime.services import NewEvent, record, unit_of_work


@dataclass(frozen=True)
class ToolView:
    """A tool, who may hold it, and what holds for it: by default, in the organization, for the agent asked about."""

    name: str
    description: str
    kinds: tuple[str, ...]
    default: str
    organization: str
    agent: str
    effective: str
    asks_people: bool


def governed_tools(organization_id: int) -> tuple[Tool, ...]:
    """Return the tools that policies hold for: not those that end a run, nor those of upkeep alone."""
    ours = (tool for tool in TOOLS if (not tool.ends_run or tool.asks_people) and governed_kinds(tool))
    return (*{tool.name: tool for tool in ours}.values(), *tools_of_organization(organization_id))


def governed_kinds(tool: Tool) -> tuple[str, ...]:
    """Return which governed kinds of process hold a tool of this name."""
    kinds = {*tool.kinds, *(kind for each in TOOLS if each.name == tool.name for kind in each.kinds)}
    return tuple(sorted(str(kind) for kind in kinds if kind in PROCESSES and PROCESSES[kind].governed))


def list_tools(actor: Actor, *, agent_id: int | None = None) -> list[ToolView]:
    """Return what holds for each tool, for one agent or for all that have nothing of their own."""
    actor.check_scope("agents:read")
    if agent_id is not None:
        queries.get_agent(actor, agent_id)
    rows = ToolPolicy.objects.filter(organization=actor.organization)
    everyone = dict(rows.filter(agent=None).values_list("tool", "policy"))
    own = dict(rows.filter(agent_id=agent_id).values_list("tool", "policy")) if agent_id is not None else {}
    return [
        ToolView(
            name=tool.name,
            description=tool.description,
            kinds=governed_kinds(tool),
            default=tool.policy,
            organization=everyone.get(tool.name, ""),
            agent=own.get(tool.name, ""),
            effective=policy_of(tool, {**everyone, **own}),
            asks_people=tool.asks_people,
        )
        for tool in governed_tools(actor.organization.pk)
    ]


def set_policy(actor: Actor, tool_name: str, policy: str | None, *, agent_id: int | None = None) -> None:
    """Set a tool's policy for the organization or for one agent; None goes back to what holds without it.

    Admins may, and it is audited. It counts from the next call on, also for runs that are under way.
    """
    actor.check_scope("agents:write")
    actor.check_level(Role.ADMIN)
    tool = next((each for each in governed_tools(actor.organization.pk) if each.name == tool_name), None)
    if tool is None:
        raise NotFound("There is no such tool.")
    if policy is not None and policy not in Policy.values:
        raise InvalidInput("Choose allow, ask or disable.", field="policy")
    if policy == Policy.ASK and tool.asks_people:
        raise InvalidInput("This tool asks people by itself: allow it or switch it off.", field="policy")
    agent = queries.get_agent(actor, agent_id) if agent_id is not None else None
    with unit_of_work():
        rows = ToolPolicy.objects.filter(organization=actor.organization, agent=agent, tool=tool_name)
        before = rows.values_list("policy", flat=True).first()
        if before == policy:
            return
        if policy is None:
            rows.delete()
        else:
            ToolPolicy.objects.update_or_create(
                organization=actor.organization,
                agent=agent,
                tool=tool_name,
                defaults={"policy": policy, "updated_by": actor.user},
            )
        audit.record(
            actor, actor.organization, "tool_policy.set", target=f"tool:{tool_name}",
            agent_id=agent_id, before=before, after=policy,
        )  # fmt: skip
        record(actor.organization.pk, NewEvent("policy.changed", {"tool": tool_name}))
