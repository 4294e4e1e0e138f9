"""The HTTP client of one server's session: checked addresses, bounded answers, its headers and nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.mcp.spec import Spec

if TYPE_CHECKING:
    import httpx2

CONNECT_S = 10.0


def http_client(spec: Spec, headers: dict[str, str], auth: httpx2.Auth | None) -> httpx2.AsyncClient:
    """Return a client that follows no redirect elsewhere and takes no proxy from our environment."""
    import httpx2

    return httpx2.AsyncClient(
        headers=headers,
        auth=auth,
        timeout=httpx2.Timeout(CONNECT_S, read=max(spec.timeout_s, 60.0) + 30.0),
        trust_env=False,
        follow_redirects=False,
    )
