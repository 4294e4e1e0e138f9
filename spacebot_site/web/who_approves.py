"""Who decides what agents ask for, in words: for everyone, and for agents with a rule of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.actor import Actor
from accounts.models import Role
from accounts.queries import list_members
from agents.models import Agent
from tasks.models import ApprovalRule
from tasks.queries.approvals import list_rules_of
from tasks.services.approvals.kinds import labels
from tasks.services.approvals.rules import Rule, closest

MOST_NAMED = 6


@dataclass(frozen=True)
class Approvers:
    """`agent` is empty for all that have no rule of their own."""

    agent: str
    kind: str
    who: str
    names: str


def who_approves(actor: Actor, agents: Sequence[Agent]) -> list[Approvers]:
    rules = list_rules_of(actor)
    own = [agent for agent in agents if any(rule.agent_id == agent.pk for rule in rules)]
    return [row for agent in (None, *own) for row in _rows(actor, agent, rules)]


def _rows(actor: Actor, agent: Agent | None, rules: list[ApprovalRule]) -> list[Approvers]:
    found = []
    for kind, label in labels().items():
        rule = closest(rules, agent_id=agent.pk if agent else None, kind=kind, subject="")
        found.append(
            Approvers(agent.name if agent else "", label, in_words(rule), _names(actor, rule.minimum_role))
        )
    return found


def in_words(rule: Rule) -> str:
    """Say who decides by this rule."""
    role = (
        "Any member who takes part"
        if rule.minimum_role == Role.MEMBER
        else f"{rule.minimum_role.label} or higher"
    )
    if rule.own:
        role = f"Whoever asked, or {role[0].lower()}{role[1:]}"
    if rule.needed > 1:
        role = f"{rule.needed} people: {role[0].lower()}{role[1:]}"
    return f"{role}, but not who asked" if rule.four_eyes else role


def _names(actor: Actor, role: Role) -> str:
    people = [
        str(each.user) for each in list_members(actor) if each.level >= role.level and each.role != Role.AGENT
    ]
    shown = ", ".join(people[:MOST_NAMED])
    return f"{shown} and {len(people) - MOST_NAMED} more" if len(people) > MOST_NAMED else shown
