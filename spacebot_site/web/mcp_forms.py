"""The form of a server: variables and headers as lines of text."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from accounts.actor import Actor
from accounts.errors import InvalidInput
from agents.mcp.offer import KINDS
from agents.models import McpServer, Transport
from agents.queries import list_agents
from spacebot_site.web.forms import number

EMPTY: dict[str, Any] = {"transport": Transport.STDIO, "kinds": [KINDS[0]], "timeout_s": 60}
KIND_WORDS = {"worker": "Workers", "branch": "Branches", "colleague": "Colleagues"}


def choices(actor: Actor) -> dict[str, Any]:
    return {"transports": Transport.choices, "kinds": KIND_WORDS.items(), "agents": list_agents(actor)}


def shown_values(server: McpServer) -> dict[str, Any]:
    return {
        "name": server.name,
        "transport": server.transport,
        "agent": str(server.agent_id or ""),
        "command": server.command,
        "args": "\n".join(server.args),
        "env": "\n".join(f"{name}={value}" for name, value in server.env.items()),
        "url": server.url,
        "headers": "\n".join(f"{name}: {value}" for name, value in server.headers.items()),
        "oauth": "on" if server.oauth else "",
        "kinds": server.kinds,
        "timeout_s": server.timeout_s,
    }


def read(form: QueryDict, server: McpServer | None = None) -> dict[str, Any]:
    """Return what services take. Of program and address only that counts which was chosen."""
    transport = server.transport if server else form.get("transport", "")
    by_program = transport == Transport.STDIO
    wanted = {
        "agent_id": number(form.get("agent")) or None,
        "command": form.get("command", "").strip() if by_program else "",
        "args": [line.strip() for line in form.get("args", "").splitlines() if line.strip()]
        if by_program
        else [],
        "env": _pairs(form.get("env", ""), "=", field="env") if by_program else {},
        "url": "" if by_program else form.get("url", "").strip(),
        "headers": {} if by_program else _pairs(form.get("headers", ""), ":", field="headers"),
        "oauth": not by_program and "oauth" in form,
        "kinds": [kind for kind in KINDS if kind in form.getlist("kinds")],
        "timeout_s": number(form.get("timeout_s")),
    }
    return wanted if server else {**wanted, "name": form.get("name", "").strip(), "transport": transport}


def _pairs(text: str, joint: str, *, field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, split, value = line.partition(joint)
        if not split or not name.strip():
            raise InvalidInput(
                f"Write one {'NAME=value' if joint == '=' else 'Name: value'} a line.", field=field
            )
        found[name.strip()] = value.strip()
    return found
