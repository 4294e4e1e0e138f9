"""One call of a tool from outside, checked once more at the last moment."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from accounts.database import release_connection
from agents.errors import ToolFailed, ToolRetry
from agents.mcp import hub
from agents.mcp.results import fenced, read_result
from agents.mcp.spec import spec_of
from agents.models import McpTool, Run
from agents.tools.base import ToolContext, ToolOutput


def call_tool(name: str, context: ToolContext, arguments: Any) -> ToolOutput:
    """Call it and return what came back as fenced data. Raises ToolRetry where the tool itself reports an error."""
    from mcp.shared.exceptions import MCPError

    row = _callable(context.run, name)
    spec = spec_of(row.server)
    release_connection()
    try:
        result = hub.call(
            spec,
            row.remote_name,
            arguments.model_dump(mode="json"),
            timeout_s=spec.timeout_s,
            cancel=context.cancel,
        )
    except MCPError as error:
        raise ToolRetry(fenced(spec.name, f"error: {error}")) from None
    except (RuntimeError, ValueError) as error:
        # What a server answers is checked by the library against the protocol and its own schema.
        raise ToolFailed(f"{spec.name} answered with what breaks the protocol: {str(error)[:300]}") from None
    keeps_files = context.run.kind == "worker"
    said, pictures = read_result(result, workspace=context.workspace if keeps_files else None)
    text = fenced(spec.name, said)
    if result.is_error:
        raise ToolRetry(text)
    return ToolOutput(text, pictures=pictures)


def _callable(run: Run, name: str) -> McpTool:
    """Return the row as it is now, or raise ToolFailed with why the tool may not be called any more."""
    row = (
        McpTool.objects.filter(
            Q(server__agent_id=None) | Q(server__agent_id=run.agent_id),
            organization_id=run.organization_id,
            local_name=name,
        )
        .select_related("server")
        .first()
    )
    if row is None or not row.server.enabled or run.kind not in row.server.kinds:
        raise ToolFailed("this tool is not offered any more")
    if not row.is_offered:
        raise ToolFailed(
            "its server changed what it says of this tool; an administrator has to approve that first"
        )
    return row
