"""The tools from outside that a run may hold, read at its start: from rows, so that no server can delay it."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from django.db.models import Q

from agents.mcp.calls import call_tool
from agents.mcp.schemas import RemoteTool, arguments_for
from agents.models import McpTool, Run
from agents.models.mcp import OFFERED
from agents.tools.base import Preview, Tool, ToolContext
from secret_store.scrubbing.scrubber import Hits
from secret_store.shields import Shield

KINDS = ("worker", "branch", "colleague")
"""Who may hold them. What talks to people may not: nothing that waits for another program may hold up a reply."""
MOST_OFFERED = 100


def offered_tools(run: Run, shield: Shield | None = None) -> dict[str, Tool]:
    """Return the approved tools of the run's organization and agent for its kind, by name, in a stable order.

    `shield` takes out of their descriptions what has become a secret since they were taken down.
    """
    if run.kind not in KINDS:
        return {}
    rows = (
        McpTool.objects.filter(
            OFFERED,
            Q(server__agent_id=None) | Q(server__agent_id=run.agent_id),
            organization_id=run.organization_id,
            server__enabled=True,
            server__kinds__contains=run.kind,
        )
        .select_related("server")
        .order_by("local_name")[:MOST_OFFERED]
    )
    return {row.local_name: tool_of(row if shield is None else _shielded(row, shield)) for row in rows}


def _shielded(row: McpTool, shield: Shield) -> McpTool:
    row.description = shield.scrub(row.description).text
    row.input_schema = shield.scrub_json(row.input_schema, Hits())
    return row


def tools_of_organization(organization_id: int) -> list[Tool]:
    """Return every approved tool, for the pages that set policies."""
    rows = McpTool.objects.filter(OFFERED, organization_id=organization_id)
    return [tool_of(row) for row in rows.select_related("server").order_by("local_name")]


def tool_of(row: McpTool) -> Tool:
    """Return a row as a tool. What only reads, by its approved description, runs; anything else asks a person first."""
    return RemoteTool(
        name=row.local_name,
        description=f"[{row.server.name}, a server from outside] {row.description}"[:4_000],
        arguments=arguments_for(row.input_schema),
        function=partial(call_tool, row.local_name),
        kinds=frozenset(row.server.kinds),
        transactional=False,
        repeatable=row.reads_only,
        policy="allow" if row.reads_only else "ask",
        preview=partial(_preview, row),
    )


def _preview(row: McpTool, context: ToolContext, arguments: Any) -> Preview:
    """Show what would be called. An approval counts for the tool as it was described, at the server as it was set up."""
    lines = [f"{name}: {value}" for name, value in arguments.model_dump(mode="json").items()]
    said = f"{row.approved_digest} {row.server_id} {row.server.version}"
    return Preview(
        parts=(
            {
                "label": f"{row.remote_name} of {row.server.name}",
                "form": "text",
                "text": "\n".join(lines)[:20_000],
            },
        ),
        basis=hashlib.sha256(said.encode()).hexdigest(),
    )
