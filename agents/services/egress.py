"""Where agents may go: the rows of an organization, which owners set, and what was refused."""

from __future__ import annotations

from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.errors import InvalidInput, NotFound
from accounts.models import Role
from accounts.services import audit
from agents import queries
from agents.egress.addresses import NEVER, why_not_public
from agents.egress.errors import Refused
from agents.egress.names import as_address, read_host, split_port
from agents.egress.policy import METADATA_NAMES
from agents.models import EgressKind, EgressRefusal, EgressRule
from realtime.services import NewEvent, record, unit_of_work

MOST_RULES = 500


def list_rules(actor: Actor, *, agent_id: int | None = None) -> QuerySet[EgressRule]:
    """Return the organization's rules; with an agent, those of its own."""
    actor.check_scope("agents:read")
    actor.check_level(Role.ADMIN)
    rows = EgressRule.objects.filter(organization=actor.organization).select_related("agent", "created_by")
    if agent_id is not None:
        queries.get_agent(actor, agent_id)
        rows = rows.filter(agent_id=agent_id)
    return rows.order_by("kind", "agent_id", "host", "port")


def list_refusals(actor: Actor) -> QuerySet[EgressRefusal]:
    """Return what was refused lately, newest first."""
    actor.check_scope("agents:read")
    actor.check_level(Role.ADMIN)
    rows = EgressRefusal.objects.filter(organization=actor.organization)
    return rows.select_related("run", "run__agent").order_by("-last_at", "-pk")[:100]


def add_rule(actor: Actor, *, kind: str, host: str, agent_id: int | None = None) -> EgressRule:
    """Open a host, for one agent or for all. `host` may hold a port, and for public hosts begin with `*.`.

    Owners may, and it is audited. It counts from the next connection on. The same rule twice is one.
    """
    _check_owner(actor)
    if kind not in EgressKind.values:
        raise InvalidInput("Choose allow or private.", field="kind")
    name, port = _read(host, kind)
    agent = queries.get_agent(actor, agent_id) if agent_id is not None else None
    with unit_of_work():
        rules = EgressRule.objects.filter(organization=actor.organization)
        found = rules.filter(agent=agent, kind=kind, host=name, port=port).first()
        if found is not None:
            return found
        if rules.count() >= MOST_RULES:
            raise InvalidInput(f"There are {MOST_RULES} rules already; delete some first.")
        rule = EgressRule.objects.create(
            organization=actor.organization,
            agent=agent,
            kind=kind,
            host=name,
            port=port,
            created_by=actor.user,
        )
        _tell(actor, "egress_rule.added", rule)
    return rule


def delete_rule(actor: Actor, rule_id: int) -> None:
    _check_owner(actor)
    with unit_of_work():
        rule = EgressRule.objects.filter(organization=actor.organization, pk=rule_id).first()
        if rule is None:
            raise NotFound("There is no such rule.")
        _tell(actor, "egress_rule.deleted", rule)
        rule.delete()


def _check_owner(actor: Actor) -> None:
    actor.check_scope("agents:write")
    actor.check_level(Role.OWNER)


def _read(text: str, kind: str) -> tuple[str, int]:
    text = text.strip()
    wild = text.startswith("*.")
    try:
        name, port = split_port(text[2:] if wild else text, 0)
        name = read_host(name)
    except Refused as error:
        raise InvalidInput(f"This is no host: {error.reason}.", field="host") from None
    if wild and (kind == EgressKind.PRIVATE or as_address(name) is not None):
        raise InvalidInput(
            "Name the host itself: *. stands for the subdomains of public ones only.", field="host"
        )
    if len(name) > 250:
        raise InvalidInput("The host is too long.", field="host")
    address = as_address(name)
    if name in METADATA_NAMES or (address is not None and why_not_public(address) in NEVER):
        raise InvalidInput("This is never reached: it gives out a machine's own credentials.", field="host")
    if kind == EgressKind.PRIVATE and not port:
        raise InvalidInput("A private host needs its port, such as search.lan:8080.", field="host")
    return f"*.{name}" if wild else name, port


def _tell(actor: Actor, action: str, rule: EgressRule) -> None:
    audit.record(
        actor, actor.organization, action, target=f"egress:{rule}", kind=rule.kind, agent_id=rule.agent_id
    )
    record(actor.organization.pk, NewEvent("policy.changed", {"tool": "egress"}))
