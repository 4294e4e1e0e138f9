"""How the cortex chat looks at the system: an overview, costs, jobs and circuits, set-up without keys, memory in numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from accounts.actor import Actor
from agents.cortex import queries
from agents.models import Agent, CortexJob
from agents.queries import list_agents
from agents.tools.base import Arguments
from agents.tools.inspect_runs import UNANSWERED_FOR, AgentSlug
from agents.tools.looking import agent_named, ago, looking_tool, moment, words
from llm.queries import list_models, list_providers, list_routes
from memory.queries import count_shelf
from messaging.models import Binding, PlatformAccount

DAY_H = 24


class Overview(Arguments):
    pass


def system_overview(actor: Actor, arguments: Overview) -> list[str]:
    agents = list(list_agents(actor))
    names = ", ".join(f"{agent.slug}{'' if agent.enabled else ' (off)'}" for agent in agents)
    live = ", ".join(f"{row['count']} {row['kind']} {row['state']}" for row in queries.count_live(actor))
    failures = queries.count_failures(actor, since=ago(DAY_H))
    waiting = queries.list_unanswered(actor, older_than=UNANSWERED_FOR)
    trouble = queries.list_trouble(actor)
    deliveries = queries.list_open_deliveries(actor, since=ago(DAY_H))
    return [
        f"- agents: {names or 'none'}",
        f"- under way: {live or 'nothing'}",
        f"- failed in 24 hours: {sum(row['count'] for row in failures)} runs",
        f"- waiting for an answer: {sum(row['count'] for row in waiting)} messages in {len(waiting)} conversations",
        f"- deliveries not arrived in 24 hours: {len(deliveries)}",
        f"- cost in 24 hours: {_cost(queries.costs(actor, since=ago(DAY_H), by=['process']))}",
        *(f"- {row['agent'].slug}: {row['text']}" for row in trouble),
    ]


class Costs(Arguments):
    days: int = Field(default=7, ge=1, le=366)


def costs(actor: Actor, arguments: Costs) -> list[str]:
    since = ago(arguments.days * DAY_H)
    slugs = dict(list_agents(actor).values_list("pk", "slug"))
    by_model = queries.costs(actor, since=since, by=["provider_name", "model_asked"])
    lines = [f"In the last {arguments.days} days: {_cost(by_model)}", "By model:"]
    lines += [f"- {row['model_asked']} of {row['provider_name']}: {_figures(row)}" for row in by_model]
    lines += ["By agent and process:"]
    lines += [
        f"- {slugs.get(row['agent_id'], 'no agent')}, {row['process']}: {_figures(row)}"
        for row in queries.costs(actor, since=since, by=["agent_id", "process"])
    ]
    return lines


def _figures(row: dict[str, Any]) -> str:
    return f"{row['requests']} requests, {row['tokens_in'] or 0} tokens in, {row['tokens_out'] or 0} out, {_cost([row])}"


def _cost(rows: list[dict[str, Any]]) -> str:
    known, unpriced = sum(row["cost_usd"] or 0 for row in rows), sum(row["unpriced"] for row in rows)
    return f"${known:.4f}" + (f" and {unpriced} requests of unknown cost" if unpriced else "")


class OfAgent(Arguments):
    agent: str = AgentSlug


class CortexState(OfAgent):
    lines: int = Field(default=20, ge=1, le=100, description="How many lines of the log.")


def cortex_state(actor: Actor, arguments: CortexState) -> list[str]:
    shown: list[str] = []
    for agent in _agents(actor, arguments.agent):
        shown += [f"{agent.slug}:", *(_job(job) for job in queries.list_jobs(actor, agent.pk))]
        shown += [
            f"- circuit of {row.tool}: {row.state}, {row.failures} failures in a row, next try {moment(row.next_try_at)}"
            for row in queries.list_breakers(actor, agent.pk)
        ]
        shown += [
            f"- {moment(row.created_at)} {row.job}, {row.event}: {row.text}"
            for row in queries.list_log(actor, agent.pk, limit=arguments.lines)
        ]
    return shown


def _job(job: CortexJob) -> str:
    failing = f", failed {job.failures} times in a row" if job.failures else ""
    return f"- job {job.name}: last {moment(job.last_finished_at)}, next {moment(job.due_at)}{failing}"


class Configuration(Arguments):
    pass


def configuration(actor: Actor, arguments: Configuration) -> list[str]:
    """Describe the set-up. Keys are said to be there or not; platforms' settings show their names alone."""
    lines = ["Agents:"]
    lines += [
        f"- {agent.slug}: {words(agent.name)}, {'on' if agent.enabled else 'off'}, preset {agent.preset or 'none'},"
        f" limits {agent.settings or 'as usual'}"
        for agent in list_agents(actor)
    ]
    lines.append("Providers:")
    lines += [
        f"- {words(row.name)}: {row.kind} at {_address(row.base_url)}, {'on' if row.enabled else 'off'},"
        f" {'has a key' if row.secret_name else 'no key'}, timeout {row.timeout_s} s"
        for row in list_providers(actor)
    ]
    lines.append("Models:")
    lines += [
        f"- {row.name} of {words(row.provider.name)}: {'on' if row.enabled else 'off'}, window {row.context_window} tokens"
        for row in list_models(actor)
    ]
    return lines + _routes(actor) + _platforms(actor)


def _routes(actor: Actor) -> list[str]:
    routes: dict[str, list[str]] = defaultdict(list)
    for route in list_routes(actor):
        routes[route.process].append(route.entry.name)
    return ["Routes:", *(f"- {process}: {', then '.join(names)}" for process, names in routes.items())]


def _platforms(actor: Actor) -> list[str]:
    bindings: dict[int, int] = defaultdict(int)
    for account_id in Binding.objects.filter(organization=actor.organization).values_list(
        "account_id", flat=True
    ):
        bindings[account_id] += 1
    rows = PlatformAccount.objects.filter(organization=actor.organization).order_by("platform", "pk")
    return ["Platforms:"] + [
        f"- {row}: {'on' if row.enabled else 'off'}, {row.state}, {bindings[row.pk]} bindings,"
        f" settings {', '.join(sorted(row.settings)) or 'none'}"
        for row in rows
    ]


def _address(url: str) -> str:
    """Return where a provider is, without a name, a password or a query that may be a key."""
    if not url:
        return "the vendor's own address"
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def memory_statistics(actor: Actor, arguments: OfAgent) -> list[str]:
    lines = []
    for agent in _agents(actor, arguments.agent):
        known = count_shelf(actor.organization.pk, agent.pk)
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(known["by_type"].items())) or "none"
        lines.append(
            f"- {agent.slug}: {known['memories']} memories ({kinds}), {known['edges']} edges, {known['without_vector']}"
            f" without a vector yet, {known['to_decide']} pairs for people to decide"
        )
    return lines


def _agents(actor: Actor, slug: str) -> list[Agent]:
    agent = agent_named(actor, slug)
    return [agent] if agent else list(list_agents(actor))


TOOLS = (
    looking_tool("system_overview", "See in a few lines how the whole system is.", Overview, system_overview),
    looking_tool("costs", "What models cost, by model, agent and process.", Costs, costs),
    looking_tool(
        "cortex_state",
        "Jobs, circuits of tools and the log of what looks after agents.",
        CortexState,
        cortex_state,
    ),
    looking_tool("configuration", "How everything is set up, without keys.", Configuration, configuration),
    looking_tool("memory_statistics", "How much each agent knows, in numbers.", OfAgent, memory_statistics),
)
