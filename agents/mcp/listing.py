"""Taking down what a server says it has, and what became of reaching it. Called from the loop, in a thread.

A tool that is new, or that says something else than what was approved, waits for an administrator. What a server of an
older version of the row says is not heard.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from agents.mcp import waiting
from agents.mcp.schemas import clean_schema, clean_text, problem_of
from agents.mcp.spec import Spec
from agents.mcp.tool_names import local_names
from agents.models import McpServer, McpState, McpTool
from realtime.services import NewEvent, record, unit_of_work
from secret_store.scrubbing.scrubber import Hits
from secret_store.shields import shield_for

MOST_TOOLS = 200
MOST_DESCRIPTION = 4_000
LOOK_AGAIN_S = 15.0
LOOK_AT_LEAST_EVERY_S = 900.0


@dataclass(frozen=True)
class Listed:
    """A tool in a server's words."""

    name: str
    description: str = ""
    schema: Any = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        said = [self.name, self.description, self.schema, self.annotations]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode(errors="surrogatepass")).hexdigest()


def record_listing(spec: Spec, listed: Sequence[Listed], *, info: str = "") -> bool:
    """Store what the server lists, and that it answers; False if the row has changed meanwhile."""
    with unit_of_work():
        server = _current(spec)
        if server is None:
            return False
        changed = _store(
            server, {each.name: each for each in listed[:MOST_TOOLS] if 0 < len(each.name) <= 300}
        )
        was = (server.state, server.last_error, server.server_info)
        server.state, server.last_error, server.failures, server.next_look_at = (
            McpState.CONNECTED,
            "",
            0,
            None,
        )
        if len(listed) > MOST_TOOLS:
            server.last_error = f"It lists {len(listed)} tools; the first {MOST_TOOLS} are taken."
        server.connected_at, server.server_info = timezone.now(), clean_text(info, 200)
        server.save(
            update_fields=[
                "state",
                "last_error",
                "failures",
                "next_look_at",
                "connected_at",
                "server_info",
                "updated_at",
            ]
        )
        if changed:
            waiting.follow(server)
        if changed or was != (server.state, server.last_error, server.server_info):
            _tell(server)
    return True


def record_failure(spec: Spec, error: str, *, state: McpState = McpState.FAILED) -> None:
    """Note that the server cannot be reached, and when it is tried again if nobody uses it. It is tried for ever."""
    with unit_of_work():
        server = _current(spec)
        if server is None:
            return
        was = (server.state, server.last_error)
        server.state, server.last_error = state, clean_text(error, 1_000)
        server.failures = min(server.failures + 1, 1_000)
        wait_s = min(LOOK_AGAIN_S * 2 ** min(server.failures - 1, 10), LOOK_AT_LEAST_EVERY_S)
        server.next_look_at = (
            None
            if state == McpState.SIGN_IN
            else timezone.now() + timedelta(seconds=wait_s * random.uniform(0.5, 1.0))
        )
        server.save(update_fields=["state", "last_error", "failures", "next_look_at", "updated_at"])
        if was != (server.state, server.last_error):
            _tell(server)


def is_current(spec: Spec) -> bool:
    """Say whether the row still is as a session knows it."""
    rows = McpServer.objects.filter(pk=spec.server_id, organization_id=spec.organization_id)
    return rows.filter(version=spec.version, enabled=True).exists()


def _current(spec: Spec) -> McpServer | None:
    rows = McpServer.objects.select_for_update().filter(
        pk=spec.server_id, organization_id=spec.organization_id
    )
    return rows.filter(version=spec.version).first()


def _store(server: McpServer, listed: dict[str, Listed]) -> bool:
    rows = {row.remote_name: row for row in McpTool.objects.filter(server=server)}
    others = McpTool.objects.filter(organization_id=server.organization_id).exclude(server=server)
    names = local_names(
        server.name,
        listed.keys(),
        kept={name: row.local_name for name, row in rows.items()},
        taken=set(others.filter(local_name__startswith=server.name).values_list("local_name", flat=True)),
    )
    changed = False
    for name, tool in listed.items():
        row = rows.get(name) or McpTool(
            organization_id=server.organization_id, server=server, remote_name=name, local_name=names[name]
        )
        if row.pk and row.listed and row.digest == tool.digest:
            continue
        _describe(row, tool)
        row.save()
        changed = True
    gone = [row.pk for name, row in rows.items() if row.listed and name not in listed]
    McpTool.objects.filter(pk__in=gone).update(listed=False, changed_at=timezone.now())
    return changed or bool(gone)


def _describe(row: McpTool, tool: Listed) -> None:
    """Keep what people and models may read of it: a server that was handed a secret may say it."""
    shield = shield_for(row.organization_id, None)
    try:
        schema = shield.scrub_json(clean_schema(tool.schema), Hits())
        row.input_schema, row.problem = schema if isinstance(schema, dict) else {}, problem_of(schema)
    except ValueError as error:
        row.input_schema, row.problem = {}, f"Its arguments cannot be described: {error}."
    row.description = shield.scrub(clean_text(tool.description, MOST_DESCRIPTION)).text
    row.reads_only = tool.annotations.get("readOnlyHint") is True
    row.digest, row.listed, row.changed_at = tool.digest, True, timezone.now()


def _tell(server: McpServer) -> None:
    record(server.organization_id, NewEvent("mcp.changed", {"server_id": server.pk, "state": server.state}))
