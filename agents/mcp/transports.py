"""Reaching a server: by a program or an address, with its secrets in place."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from agents.mcp.loop import in_database
from agents.mcp.oauth import stored_sign_in
from agents.mcp.references import resolve
from agents.mcp.spec import Spec
from agents.mcp.stdio import stdio_streams
from agents.models import Transport

if TYPE_CHECKING:
    import httpx2
    from mcp.client._transport import TransportStreams


@contextlib.asynccontextmanager
async def open_streams(
    spec: Spec,
    *,
    on_end: Callable[[str], None],
    on_sign_in: Callable[[], None],
    auth: httpx2.Auth | None = None,
) -> AsyncIterator[TransportStreams]:
    """Yield streams to the server. `on_end` hears why when they end by themselves, `on_sign_in` when a person has to sign
    in first; with `auth` one is about to."""
    if spec.transport == Transport.STDIO:
        env = await in_database(
            resolve, spec.env, organization_id=spec.organization_id, agent_id=spec.agent_id, for_program=True
        )
        async with stdio_streams(spec, env, on_end=on_end) as streams:
            yield streams
        return
    from mcp.client.streamable_http import streamable_http_client

    from agents.mcp.http import checker_of, http_client

    headers = await in_database(
        resolve, spec.headers, organization_id=spec.organization_id, agent_id=spec.agent_id
    )
    if spec.oauth and auth is None:
        auth = await stored_sign_in(spec, on_sign_in=on_sign_in)
    async with (
        http_client(spec, await in_database(checker_of, spec), headers, auth) as client,
        streamable_http_client(spec.url, http_client=client) as streams,
    ):
        yield streams
