"""How the cortex chat looks at runs: which there were, what one did, what failed, what is not answered or delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from accounts.actor import Actor
from agents.cortex import queries
from agents.models import LIVE_STATES, McpTool, Run, Step, ToolCall
from agents.queries import get_run_to_administer
from agents.tools.base import Arguments
from agents.tools.looking import agent_named, ago, looking_tool, moment, readable_ids, run_line, words

STATES = {"live": LIVE_STATES, "failed": queries.BAD_STATES}
UNANSWERED_FOR = timedelta(minutes=1)
MOST_STEPS = 60
Hours = Field(default=24, ge=1, le=24 * 90, description="How far back to look.")
AgentSlug = Field(default="", max_length=60, description="Only this agent, by its short name.")


class ListRuns(Arguments):
    state: Literal["any", "live", "failed"] = "any"
    kind: Literal["any", "channel", "branch", "worker", "compaction", "keeping"] = "any"
    agent: str = AgentSlug
    hours: int = Hours
    limit: int = Field(default=20, ge=1, le=100)


def list_runs(actor: Actor, arguments: ListRuns) -> list[str]:
    agent = agent_named(actor, arguments.agent)
    rows = queries.runs_to_administer(actor, agent_id=agent.pk if agent else None)
    rows = rows.filter(created_at__gte=ago(arguments.hours))
    if arguments.kind != "any":
        rows = rows.filter(kind=arguments.kind)
    if arguments.state != "any":
        rows = rows.filter(state__in=STATES[arguments.state])
    total = rows.count()
    shown = list(rows.order_by("-pk")[: arguments.limit])
    mine = readable_ids(actor, shown)
    return [
        f"{total} runs, the newest {len(shown)}:",
        *(run_line(run, may_read=run.pk in mine) for run in shown),
    ]


class InspectRun(Arguments):
    run_id: int = Field(ge=1, le=2**63 - 1)


def inspect_run(actor: Actor, arguments: InspectRun) -> list[str]:
    run = get_run_to_administer(actor, arguments.run_id)
    may_read = run.pk in readable_ids(actor, [run])
    lines = [
        run_line(run, may_read=may_read),
        f"conversation {run.conversation_id or 'none'}, parent run {run.parent_id or 'none'}, "
        f"first claimed {moment(run.started_at)}, time limit {run.active_limit_s} s",
    ]
    if not may_read:
        lines.append("You do not take part in its conversation: what it said and did is not shown.")
    lines += _steps(run, may_read)
    if may_read and run.result.get("text"):
        lines.append(f"result: {words(run.result['text'], 2_000)}")
    return lines


def _steps(run: Run, may_read: bool) -> list[str]:
    from agents.tools.registry import TOOLS

    known = {tool.name for tool in TOOLS}
    known |= set(
        McpTool.objects.filter(organization_id=run.organization_id).values_list("local_name", flat=True)
    )
    lines = []
    for step in (
        Step.objects.filter(run_id=run.pk).prefetch_related("tool_calls").order_by("number")[:MOST_STEPS]
    ):
        cost = f"${step.cost_usd}" if step.cost_usd is not None else "cost unknown"
        seconds = (step.finished_at - step.started_at).total_seconds()
        lines.append(
            f"- step {step.number}: {step.model}, {step.input_tokens} tokens in, {step.output_tokens} out, {cost},"
            f" {seconds:.1f} s, stopped by {step.stop_reason or 'nothing'}"
        )
        lines += [_call(call, known, may_read) for call in step.tool_calls.all()]
    return lines or ["It made no step."]


def _call(call: ToolCall, known: set[str], may_read: bool) -> str:
    """A name that no tool has was made up by a model, and could say anything."""
    name = call.name if call.name in known or may_read else "a tool that does not exist"
    took = f", {(call.finished_at - call.started_at).total_seconds():.1f} s" if call.finished_at else ""
    told = f": {words(call.result)}" if may_read and call.result else ""
    return f"  - {words(name)}, {call.state}{took}{told}"


class ListFailures(Arguments):
    agent: str = AgentSlug
    hours: int = Hours


def list_failures(actor: Actor, arguments: ListFailures) -> list[str]:
    agent, since = agent_named(actor, arguments.agent), ago(arguments.hours)
    runs = queries.count_failures(actor, since=since, agent_id=agent.pk if agent else None)
    requests = queries.count_refused_requests(actor, since=since)
    lines = [f"In the last {arguments.hours} hours:"]
    lines += [
        f"- {row['count']} × {row['kind']} of {row['agent__slug']} {row['state']}, {row['failure__class'] or 'no reason given'},"
        f" last run {row['last']}"
        for row in runs
    ] or ["- No run failed."]
    lines += [
        f"- {row['count']} requests to {row['model_asked']} of {row['provider_name']}: {row['outcome']},"
        f" last {moment(row['last'])}"
        for row in requests
    ] or ["- No request to a model failed."]
    return lines


class ListUnsettled(Arguments):
    hours: int = Hours


def list_unsettled(actor: Actor, arguments: ListUnsettled) -> list[str]:
    waiting = queries.list_unanswered(actor, older_than=UNANSWERED_FOR)
    lines = [
        f"- conversation {row['conversation_id']} ({row['conversation__account__platform']}): {row['count']} messages"
        f" without an answer, the newest of {moment(row['newest'])}"
        for row in waiting
    ] or ["- No message has waited longer than a minute."]
    for row in queries.list_open_deliveries(actor, since=ago(arguments.hours)):
        platform = row.message.conversation.account.platform
        lines.append(
            f"- delivery {row.pk} to {platform}, conversation {row.message.conversation_id}: {row.state},"
            f" {row.attempts} attempts, next {moment(row.next_attempt_at)}"
        )
    return lines


TOOLS = (
    looking_tool("list_runs", "List runs: what ran, when, for how long, how it ended.", ListRuns, list_runs),
    looking_tool("inspect_run", "Look at one run with its steps and tool calls.", InspectRun, inspect_run),
    looking_tool(
        "list_failures", "Count failed runs and failed requests to models.", ListFailures, list_failures
    ),
    looking_tool(
        "list_unsettled",
        "List unanswered messages and deliveries that did not arrive.",
        ListUnsettled,
        list_unsettled,
    ),
)
