"""Looking at servers that nobody uses: a new one, a changed one, one that failed. Each may run twice."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.database import release_connection
from agents.mcp import hub
from agents.mcp.spec import spec_of
from agents.models import McpServer

LEASE = timedelta(minutes=2)
AT_ONCE = 20


def look(server_id: int) -> None:
    """Reach one server that is due, whoever asked."""
    claimed = McpServer.objects.filter(pk=server_id, enabled=True, next_look_at__lte=timezone.now())
    if not claimed.update(next_look_at=timezone.now() + LEASE):
        return
    server = McpServer.objects.get(pk=server_id)
    release_connection()
    hub.look(spec_of(server))


def sign_in(server_id: int, user_id: int) -> None:
    """Begin to sign in to a server for an administrator, who is shown where to go on."""
    server = McpServer.objects.filter(pk=server_id, enabled=True, oauth=True).first()
    release_connection()
    if server is not None:
        hub.sign_in(spec_of(server), user_id)


def due() -> list[int]:
    """Return what is due; a server that failed is tried again for ever, less and less often."""
    rows = McpServer.objects.filter(enabled=True, next_look_at__lte=timezone.now()).order_by("next_look_at")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])
