"""Renewing a sign-in once, however many sessions of however many processes want to.

A server may end a renewal token at its use, and whoever comes second with it is signed out. So renewing is one at a time,
by a lock in the cache, and whoever had to wait, or is told that its token does not count, first looks what was stored
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

from django.core.cache import cache
from mcp.client.auth.oauth2 import OAuthClientProvider

if TYPE_CHECKING:
    import httpx2

    from agents.mcp.oauth import Storage

LOCKED_S = 45
"""Longer than a renewal takes; a process that dies in one holds up others no longer."""
LOOK_S = 0.05
NOT_AUTHORISED = 401


class Renewing(OAuthClientProvider):
    """The library's provider, which takes over what others have renewed. `kept` is where its sign-in is stored."""

    kept: Storage

    async def _auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if not self._initialized:
            await self._initialize()
        if self._has_ended:
            async with one_at_a_time(self.kept.spec.server_id):
                await self._take_over()
                if self._has_ended:
                    response = yield await self._refresh_token()
                    await self._handle_refresh_response(response)
        may_take_over = True
        while True:
            again = False
            async with contextlib.aclosing(super()._auth_flow(request)) as flow:
                wanted = await anext(flow)
                while True:
                    response = yield wanted
                    again = (
                        may_take_over
                        and wanted is request
                        and response.status_code == NOT_AUTHORISED
                        and await self._take_over()
                    )
                    if again:
                        break
                    try:
                        wanted = await flow.asend(response)
                    except StopAsyncIteration:
                        break
            if not again:
                return
            may_take_over = False

    @property
    def _has_ended(self) -> bool:
        return not self.context.is_token_valid() and self.context.can_refresh_token()

    async def _take_over(self) -> bool:
        """Use what is stored, where that is another token than ours; say whether it is."""
        mine = self.context.current_tokens
        await self.kept.load()
        stored = await self.kept.get_tokens()
        if stored is None or (mine is not None and stored.access_token == mine.access_token):
            return False
        self.context.current_tokens = stored
        self.context.token_expiry_time = self.kept.known.get("expires_at")
        return True


@contextlib.asynccontextmanager
async def one_at_a_time(server_id: int) -> AsyncIterator[None]:
    """Wait for the lock of a server, in all processes, and hold it; one that nobody gave back ends by itself."""
    key, mark = f"mcp-renewal:{server_id}", secrets.token_hex(8)
    until = time.monotonic() + LOCKED_S
    while not await asyncio.to_thread(cache.add, key, mark, LOCKED_S) and time.monotonic() < until:
        await asyncio.sleep(LOOK_S)
    try:
        yield
    finally:
        await asyncio.to_thread(_give_back, key, mark)


def _give_back(key: str, mark: str) -> None:
    if cache.get(key) == mark:
        cache.delete(key)
