"""The HTTP client of one server's session: checked addresses, bounded answers, its headers and nothing of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

from agents.mcp.spec import Spec

CONNECT_S = 10.0
MOST_BYTES = 16 * 1024 * 1024
STREAM = "text/event-stream"


def http_client(spec: Spec, headers: dict[str, str], auth: httpx2.Auth | None) -> httpx2.AsyncClient:
    """Return a client that follows no redirect elsewhere and takes no proxy from our environment."""
    return httpx2.AsyncClient(
        transport=Bounded(httpx2.AsyncHTTPTransport(trust_env=False)),
        headers=headers,
        auth=auth,
        timeout=httpx2.Timeout(CONNECT_S, read=max(spec.timeout_s, 60.0) + 30.0),
        trust_env=False,
        follow_redirects=False,
    )


class Bounded(httpx2.AsyncBaseTransport):
    """Ends an answer that is longer than anybody needs. A stream of events has no end, and bounds its events itself."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self.inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        if not response.headers.get("content-type", "").lower().startswith(STREAM):
            response.stream = _Counted(response.stream)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


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
