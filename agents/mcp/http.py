"""The HTTP client of one server's session: the way out's own check of each connection, bounded answers, nothing of ours.

Whatever a server names (a redirect, where to sign in) is dialled through the same check.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore2
import httpx2

from agents.egress.checking import Checker, checker_for
from agents.egress.names import read_host
from agents.egress.rules import policy_of
from agents.mcp.spec import Spec

CONNECT_S = 10.0
MOST_BYTES = 16 * 1024 * 1024
STREAM = "text/event-stream"
NO_AGENT = 0


def checker_of(spec: Spec) -> Checker:
    """Return the check of the server's agent, or of the organization where it is for every agent."""
    return checker_for(policy_of(spec.organization_id, spec.agent_id or NO_AGENT))


def http_client(
    spec: Spec, checker: Checker, headers: dict[str, str], auth: httpx2.Auth | None
) -> httpx2.AsyncClient:
    """Return a client that follows no redirect elsewhere and takes no proxy from our environment."""
    return httpx2.AsyncClient(
        transport=Bounded(checker),
        headers=headers,
        auth=auth,
        timeout=httpx2.Timeout(CONNECT_S, read=max(spec.timeout_s, 60.0) + 30.0),
        trust_env=False,
        follow_redirects=False,
    )


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Dials what the checker returned; TLS still verifies the name, which comes from the request."""

    def __init__(self, checker: Checker) -> None:
        self.checker = checker
        self.inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        name = read_host(f"[{host}]" if ":" in host else host)
        addresses = await asyncio.to_thread(self.checker.addresses, name, port)
        return await self.inner.connect_tcp(addresses[0], port, timeout, None, socket_options)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Bounded(httpx2.AsyncHTTPTransport):
    """Ends an answer that is longer than anybody needs. A stream of events has no end, and bounds its events itself."""

    def __init__(self, checker: Checker) -> None:
        super().__init__(trust_env=False)
        context = httpx2.create_ssl_context(trust_env=False)
        # The library's transport takes no backend; this is the pool it would make, with ours.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context, network_backend=CheckedBackend(checker)
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if not response.headers.get("content-type", "").lower().startswith(STREAM):
            response.stream = _Counted(response.stream)
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self.inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for piece in self.inner:
            total += len(piece)
            if total > MOST_BYTES:
                raise httpx2.ReadError("the answer is too long")
            yield piece

    async def aclose(self) -> None:
        await self.inner.aclose()
