"""MCP servers: which there are and how they do, what their tools say, and approving it."""

from __future__ import annotations

from difflib import unified_diff
from json import dumps
from typing import Any

from django.conf import settings
from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.actor import Actor
from accounts.errors import AccountsError
from accounts.models import Role
from agents.mcp import queries, services
from agents.mcp.sign_in_flows import answer, open_flow
from agents.models import McpServer, McpTool
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, dialog, number
from spacebot_site.web.mcp_forms import EMPTY, choices, read, shown_values


@require_safe
@page(level=Role.ADMIN)
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    return render(
        request,
        "settings/mcp.html",
        {"servers": queries.list_servers(actor), "own_address": f"{settings.PUBLIC_URL}/mcp"},
    )


@page(level=Role.ADMIN)
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    values, problem = EMPTY, None
    if request.method == "POST":
        values = request.POST.dict() | {"kinds": request.POST.getlist("kinds")}
        try:
            server = services.create_server(actor, **read(request.POST))
        except AccountsError as error:
            problem = error
        else:
            notices.success(
                request, f"{server.name} is being looked at. Its tools are offered when you approve them."
            )
            return redirect("mcp_server", server.pk)
    shown = {"values": values, "problem": problem, **choices(actor)}
    return dialog(request, "settings/mcp_form.html", "Add an MCP server", shown)


@page(level=Role.ADMIN)
def edit(request: HttpRequest, actor: Actor, server_id: int) -> HttpResponse:
    server = queries.get_server(actor, server_id)
    values, problem = shown_values(server), None
    if request.method == "POST":
        values = request.POST.dict() | {"kinds": request.POST.getlist("kinds"), "name": server.name}
        try:
            wanted = read(request.POST, server)
            services.update_server(actor, server.pk, **wanted)
        except AccountsError as error:
            problem = error
        else:
            notices.success(request, f"{server.name} was changed. It holds from the next call on.")
            return redirect("mcp_server", server.pk)
    shown = {"server": server, "values": values, "problem": problem, **choices(actor)}
    return dialog(request, "settings/mcp_form.html", f"Edit {server.name}", shown)


@page(level=Role.ADMIN)
def one(request: HttpRequest, actor: Actor, server_id: int) -> HttpResponse:
    server = queries.get_server(actor, server_id)
    if request.method == "POST":
        if _change(request, actor, server) and request.POST.get("act") == "delete":
            return redirect("mcp")
        return redirect("mcp_server", server.pk)
    tools = queries.list_tools(actor, server)
    shown = {
        "server": server,
        "sign_in_url": open_flow(actor, server.pk) if server.oauth else "",
        "waiting": [(row, _changes(row)) for row in tools if row.waits],
        "offered": [row for row in tools if row.is_offered],
        "left_out": [row for row in tools if not row.waits and not row.is_offered],
    }
    return render(request, "settings/mcp_server.html", shown)


@require_safe
@page(level=Role.ADMIN)
def callback(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Where a browser comes back to after a sign-in elsewhere."""
    sent = request.GET
    try:
        server_id = answer(
            actor,
            state=sent.get("state", ""),
            code=sent.get("code", ""),
            iss=sent.get("iss"),
            error=sent.get("error_description") or sent.get("error", ""),
        )
    except AccountsError as error:
        notices.error(request, str(error))
        return redirect("mcp")
    notices.success(request, "Thank you. The server is being connected.")
    return redirect("mcp_server", server_id)


def _change(request: HttpRequest, actor: Actor, server: McpServer) -> bool:
    form, act = request.POST, request.POST.get("act")
    tool_id, digest = number(form.get("tool")), form.get("digest", "")
    if act == "look":
        return attempt(
            request, lambda: services.look_again(actor, server.pk), f"{server.name} is being looked at."
        )
    if act == "connect":
        words = "The server is being asked where to sign in; a link appears here."
        return attempt(request, lambda: services.begin_sign_in(actor, server.pk), words)
    if act == "switch":
        on = form.get("enabled") == "1"
        words = f"{server.name} is on." if on else f"{server.name} is off: nothing is offered or called."
        return attempt(request, lambda: services.update_server(actor, server.pk, enabled=on), words)
    if act == "approve":
        return attempt(
            request, lambda: services.approve_tool(actor, tool_id, digest=digest), "Approved and offered."
        )
    if act == "approve_all":
        digests = dict(zip(map(number, form.getlist("tool")), form.getlist("digest"), strict=False))
        return attempt(
            request,
            lambda: services.approve_all(actor, server.pk, digests=digests),
            "What you have read is approved.",
        )
    if act == "withdraw":
        return attempt(request, lambda: services.withdraw_tool(actor, tool_id), "It is not offered any more.")
    if act == "delete":
        return attempt(
            request, lambda: services.delete_server(actor, server.pk), f"{server.name} was removed."
        )
    return False


def _changes(row: McpTool) -> list[tuple[str, str]]:
    """Return the lines that differ from what was approved, each with a mark; none where nothing was."""
    if not row.approved:
        return []
    lines = unified_diff(
        _said(row.approved), _said(vars(row) | {"schema": row.input_schema}), lineterm="", n=1
    )
    return [(line[0], line[1:]) for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def _said(row: dict[str, Any]) -> list[str]:
    only = ["It says that it only reads."] if row["reads_only"] else ["It does not say that it only reads."]
    schema = dumps(row["schema"], indent=1, sort_keys=True, ensure_ascii=False)
    return [*row["description"].splitlines(), *only, *schema.splitlines()]
