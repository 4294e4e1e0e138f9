"""Servers in rows, looked at at once, and every session ended afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.actor import Actor
from agents.mcp import hub, looking, services
from agents.models import McpServer, McpTool

Add = Callable[..., McpServer]


@pytest.fixture(autouse=True)
def _all_ended() -> Iterator[None]:
    yield
    hub.close_all()


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs are run by the tests."""
    from agents.jobs import mcp_look

    monkeypatch.setattr(mcp_look, "delay", lambda server_id: None)


def add_server(actor: Actor, name: str, *, approve: bool = True, **values: Any) -> McpServer:
    """Add a server as an administrator would, look at it, and approve what it lists."""
    server = services.create_server(actor, name=name, **values)
    looking.look(server.pk)
    if approve:
        approve_everything(actor, server)
    server.refresh_from_db()
    return server


def approve_everything(actor: Actor, server: McpServer) -> None:
    rows = McpTool.objects.filter(server=server)
    services.approve_all(actor, server.pk, digests={row.pk: row.digest for row in rows})
