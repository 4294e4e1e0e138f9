"""Changing servers, and approving what their tools say. Administrators may; every change is audited.

Whoever refers to a secret needs the right to write secrets as well: a server is handed what it names.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.services import audit
from agents import queries as agents
from agents.mcp import queries, waiting
from agents.mcp.checks import check_setup
from agents.mcp.oauth_tokens import forget_tokens
from agents.mcp.offer import KINDS
from agents.mcp.references import references
from agents.models import McpServer, McpState, McpTool, ToolPolicy
from realtime.services import NewEvent, record, unit_of_work
from tasks.services.approvals import grants

DEFAULTS: dict[str, Any] = {
    "agent_id": None, "command": "", "args": [], "env": {}, "url": "", "headers": {}, "oauth": False,
    "kinds": [KINDS[0]], "timeout_s": 60, "enabled": True,
}  # fmt: skip
REACH = ("command", "args", "env", "url", "headers", "oauth")
MOST_SERVERS = 50


def create_server(actor: Actor, *, name: str, transport: str, **values: Any) -> McpServer:
    """Add a server and look at it. Its tools are offered once they are approved.

    Raises InvalidInput, Conflict where the name is taken, NotFound for another organization's agent."""
    actor.check_scope("mcp:write")
    wanted = {**DEFAULTS, **values, "name": name.strip(), "transport": transport}
    _check(actor, wanted)
    if McpServer.objects.filter(organization=actor.organization).count() >= MOST_SERVERS:
        raise Conflict(f"There are {MOST_SERVERS} servers already.")
    server = McpServer(
        organization=actor.organization, created_by=actor.user, next_look_at=timezone.now(), **wanted
    )
    _save(actor, server, "mcp_server.created", name=server.name, transport=server.transport)
    look_soon(server.pk)
    return server


def update_server(actor: Actor, server_id: int, **values: Any) -> McpServer:
    """Change a server without a restart: sessions of before are closed where they are next used or looked at.

    Another program or address is another server: what was approved of it has to be approved again.
    """
    actor.check_scope("mcp:write")
    server = queries.get_server(actor, server_id)
    before = {name: getattr(server, name) for name in (*DEFAULTS, "name", "transport")}
    if "name" in values and values["name"] != server.name:
        raise InvalidInput("The name cannot change: its tools are called by it.", field="name")
    wanted = {**before, **values}
    changed = sorted(name for name in wanted if wanted[name] != before[name])
    if not changed:
        return server
    _check(actor, wanted, anew=bool({"agent_id", *REACH} & set(changed)))
    moved = bool(set(changed) & {"command", "args", "url"})
    with unit_of_work():
        server = McpServer.objects.select_for_update().get(pk=server.pk)
        for name in changed:
            setattr(server, name, wanted[name])
        server.version += 1
        server.next_look_at = timezone.now() if server.enabled else None
        if set(changed) & set(REACH):
            server.state, server.last_error, server.failures = McpState.NEW, "", 0
        if moved:
            server.tools.update(approved_digest="")
            waiting.forget(server)
            _forget_what_was_allowed(server)
        _save(actor, server, "mcp_server.changed", name=server.name, changed=changed)
    if server.enabled:
        look_soon(server.pk)
    return server


def delete_server(actor: Actor, server_id: int) -> None:
    """Remove a server with its tools, and what was allowed to them: another of the same name begins anew."""
    actor.check_scope("mcp:write")
    server = queries.get_server(actor, server_id)
    with unit_of_work():
        _forget_what_was_allowed(server)
        waiting.forget(server)
        audit.record(
            actor, actor.organization, "mcp_server.deleted", f"mcp_server:{server.pk}", name=server.name
        )
        record(actor.organization.pk, NewEvent("mcp.changed", {"server_id": server.pk}))
        McpServer.objects.filter(pk=server.pk).delete()


def approve_tool(actor: Actor, tool_id: int, *, digest: str) -> McpTool:
    """Approve a tool as it was shown, which `digest` says. Raises Conflict when it says something else by now."""
    actor.check_scope("mcp:write")
    row = queries.get_tool(actor, tool_id)
    with unit_of_work():
        row = McpTool.objects.select_for_update(of=("self",)).select_related("server").get(pk=row.pk)
        if row.problem or not row.listed:
            raise Conflict(row.problem or "The server does not list this tool any more.")
        if row.digest != digest:
            raise Conflict("The server has changed what it says since. Look again.")
        _approve(actor, row)
        waiting.follow(row.server)
    return row


def approve_all(actor: Actor, server_id: int, *, digests: dict[int, str]) -> int:
    """Approve those tools of a server that still say what was shown; return how many."""
    actor.check_scope("mcp:write")
    server = queries.get_server(actor, server_id)
    with unit_of_work():
        rows = McpTool.objects.select_for_update().filter(
            server=server, listed=True, problem="", pk__in=digests
        )
        agreed = [row for row in rows.order_by("pk") if row.digest == digests[row.pk] and row.waits]
        for row in agreed:
            _approve(actor, row)
        if agreed:
            waiting.follow(server)
    return len(agreed)


def withdraw_tool(actor: Actor, tool_id: int) -> McpTool:
    """Take an approval back: the tool is not offered, and a call under way is its last."""
    actor.check_scope("mcp:write")
    row = queries.get_tool(actor, tool_id)
    with unit_of_work():
        McpTool.objects.filter(pk=row.pk).update(approved_digest="")
        _note(actor, row, "mcp_tool.withdrawn")
        waiting.follow(row.server)
    row.approved_digest = ""
    return row


def look_again(actor: Actor, server_id: int) -> None:
    """Try a server now; the page shows what comes of it."""
    actor.check_scope("mcp:write")
    server = queries.get_server(actor, server_id)
    if not server.enabled:
        raise Conflict("The server is switched off.")
    McpServer.objects.filter(pk=server.pk).update(next_look_at=timezone.now())
    look_soon(server.pk)


def begin_sign_in(actor: Actor, server_id: int) -> None:
    """Ask the server where to sign in; the page shows it to this administrator as soon as it says so."""
    actor.check_scope("mcp:write")
    server = queries.get_server(actor, server_id)
    if not server.oauth or not server.enabled:
        raise Conflict("This server is not signed in to by OAuth, or it is off.")
    from agents.jobs import mcp_sign_in

    user_id = actor.user.pk
    transaction.on_commit(lambda: mcp_sign_in.delay(server.pk, user_id), robust=True)


def look_soon(server_id: int) -> None:
    from agents.jobs import mcp_look

    transaction.on_commit(lambda: mcp_look.delay(server_id), robust=True)


def _check(actor: Actor, wanted: dict[str, Any], *, anew: bool = True) -> None:
    check_setup(wanted)
    if wanted["agent_id"] is not None:
        agents.get_agent(actor, wanted["agent_id"])
    if anew and (references(wanted["env"]) | references(wanted["headers"])):
        actor.check_scope("secrets:write")


def _forget_what_was_allowed(server: McpServer) -> None:
    """What was allowed to a tool was allowed to the server behind it, and to no other that has its name."""
    names = list(server.tools.values_list("local_name", flat=True))
    ToolPolicy.objects.filter(organization_id=server.organization_id, tool__in=names).delete()
    grants.end_all(server.organization_id, subjects=names)
    forget_tokens(server)


def _save(actor: Actor, server: McpServer, act: str, **detail: Any) -> None:
    try:
        with unit_of_work(), transaction.atomic():
            server.save()
            audit.record(actor, actor.organization, act, f"mcp_server:{server.pk}", **detail)
            record(actor.organization.pk, NewEvent("mcp.changed", {"server_id": server.pk}))
    except IntegrityError:
        raise Conflict("There is a server of this name.") from None


def _approve(actor: Actor, row: McpTool) -> None:
    row.approved_digest, row.approved_by, row.approved_at = row.digest, actor.user, timezone.now()
    row.approved = {"description": row.description, "schema": row.input_schema, "reads_only": row.reads_only}
    row.save(update_fields=["approved_digest", "approved_by", "approved_at", "approved"])
    _note(actor, row, "mcp_tool.approved")


def _note(actor: Actor, row: McpTool, act: str) -> None:
    audit.record(
        actor, actor.organization, act, f"tool:{row.local_name}", digest=row.digest, server_id=row.server_id
    )
    record(actor.organization.pk, NewEvent("mcp.changed", {"server_id": row.server_id}))
