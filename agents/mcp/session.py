"""One server's session in this process: connected while somebody uses it, connected again whenever it dies."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from accounts.logs import get_logger
from agents.errors import ToolUnavailable
from agents.mcp.listing import Listed, is_current, record_failure, record_listing
from agents.mcp.loop import in_database
from agents.mcp.spec import Spec
from agents.mcp.transports import open_streams
from agents.mcp.wire import explain, is_end, list_tools, name_of, who_we_are
from agents.models import McpState

if TYPE_CHECKING:
    import httpx2
    from mcp.client.client import Client
    from mcp_types import CallToolResult

log = get_logger(__name__)

CONNECT_S = 20.0
IDLE_S = 600.0
PING_EVERY_S = 20.0
PING_S = 10.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
AT_LEAST_S = 1.0
STABLE_S = 30.0
NEEDS_SIGN_IN = "An administrator has to connect it."


class Session:
    """All of it happens in the loop. `client` is there while the server answers; `error` says why it does not."""

    def __init__(
        self, spec: Spec, *, auth: httpx2.Auth | None = None, connect_s: float | None = None
    ) -> None:
        self.spec = spec
        self._auth, self._connect_s = auth, connect_s or CONNECT_S
        self._needs_sign_in = False
        self.client: Client | None = None
        self.error = ""
        self.calls = 0
        self.closed = False
        self._used_at = time.monotonic()
        self._over = asyncio.Event()
        self._settled = asyncio.Event()
        self._changed = asyncio.Event()
        self._wanted = asyncio.Event()
        self._over_by_hand = asyncio.Event()
        self._known: list[Listed] | None = None
        self._task = asyncio.create_task(self._live(), name=f"mcp {spec.server_id}")

    async def close(self) -> None:
        self.closed = True
        self._over.set()
        self._over_by_hand.set()
        await asyncio.wait([self._task], timeout=10)

    def retire(self) -> None:
        """Close it without waiting."""
        self._retiring = asyncio.create_task(self.close())

    async def look(self) -> str:
        """Wait until it is connected, or until it is known why not; return why not."""
        self._used_at = time.monotonic()
        try:
            await self._ready()
        except ToolUnavailable:
            return self.error
        return ""

    async def call(self, name: str, arguments: dict[str, Any], *, timeout_s: float) -> CallToolResult:
        """Call a tool. Raises ToolUnavailable when the server does not answer, ends, or takes too long."""
        self._used_at = time.monotonic()
        self.calls += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await self._call(await self._ready(), name, arguments)
        except TimeoutError:
            raise ToolUnavailable(
                f"{self.spec.name} did not answer within {timeout_s:g} s; whether the call took effect is unknown"
            ) from None
        finally:
            self.calls -= 1
            self._used_at = time.monotonic()

    @property
    def _is_idle(self) -> bool:
        return self.calls == 0 and time.monotonic() - self._used_at > IDLE_S

    async def _ready(self) -> Client:
        """Return the client, waiting for a connection that is being made; not for one that has just failed."""
        if self.client is None:
            self._wanted.set()
            await self._settled.wait()
        if self.client is None:
            raise ToolUnavailable(f"{self.spec.name} cannot be reached now: {self.error[:300]}")
        return self.client

    async def _call(self, client: Client, name: str, arguments: dict[str, Any]) -> CallToolResult:
        from mcp.shared.exceptions import MCPError

        over, call = (
            asyncio.create_task(self._over.wait()),
            asyncio.create_task(client.call_tool(name, arguments)),
        )
        try:
            await asyncio.wait([over, call], return_when=asyncio.FIRST_COMPLETED)
            if not call.done():
                raise self._ended()
            return call.result()
        except MCPError as error:
            if self._is_over(error):
                raise self._ended() from None
            raise
        finally:
            for task in (over, call):
                task.cancel()
            await asyncio.gather(over, call, return_exceptions=True)

    def _is_over(self, error: Exception) -> bool:
        """Say whether an error means that the session is gone, and let it be made anew if so."""
        if is_end(error):
            self._end(str(error))
        return self._over.is_set()

    def _ended(self) -> ToolUnavailable:
        return ToolUnavailable(
            f"{self.spec.name} ended during the call, and whether it took effect is unknown. It is being connected again"
        )

    def _end(self, why: str) -> None:
        """Note that the session has died, so that calls wait for the next one."""
        if not self._over.is_set():
            self.error, self.client = why, None
            self._settled.clear()
            self._over.set()

    def _sign_in(self) -> None:
        self._needs_sign_in = True
        self._end(NEEDS_SIGN_IN)

    async def _live(self) -> None:
        """Live until nobody wants it. However it ends, it is closed then, so that the next call begins another."""
        try:
            await self._connect_again_and_again()
        except Exception:
            log.exception("mcp.session_lost", server=self.spec.server_id)
        finally:
            self.client, self.closed = None, True
            self._over.set()
            self._settled.set()

    async def _connect_again_and_again(self) -> None:
        failures = 0
        while not self.closed:
            began, connected = time.monotonic(), False
            self.error, self._known = "", None
            self._over.clear()
            try:
                async with self._connected() as client:
                    self.client, connected = client, True
                    self._settled.set()
                    await self._watch(client)
            except Exception as error:
                self._end(explain(error))
            self.client = None
            if self.closed or not self.error:
                break
            log.info("mcp.failed", server=self.spec.server_id, error=self.error[:300])
            state = McpState.SIGN_IN if self._needs_sign_in else McpState.FAILED
            await in_database(record_failure, self.spec, self.error, state=state)
            if self._needs_sign_in:
                break
            if not connected:
                self._settled.set()
            failures = 0 if time.monotonic() - began > STABLE_S else failures + 1
            await self._rest(failures)
            # One that nobody uses any more is left to those who look at what failed.
            if self.closed or self._is_idle or not await in_database(is_current, self.spec):
                break
            self._settled.clear()

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Client]:
        """Connect within a bound and take down what the server has."""
        from mcp.client.client import Client

        transport = open_streams(self.spec, on_end=self._end, on_sign_in=self._sign_in, auth=self._auth)
        client = Client(
            transport,
            message_handler=self._heard,
            cache=None,
            client_info=who_we_are(),
            read_timeout_seconds=None,
        )
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(self._connect_s):
                await stack.enter_async_context(client)
                await self._list(client)
            yield client

    async def _watch(self, client: Client) -> None:
        """Return when nobody has used it for long; raise when it has died."""
        listener = asyncio.create_task(self._listen(client))
        try:
            while not self._over.is_set():
                if self._is_idle:
                    self.closed = True
                    return
                await _first_of(self._over, self._changed, timeout_s=PING_EVERY_S)
                if self._over.is_set():
                    return
                if self._changed.is_set():
                    self._changed.clear()
                    async with asyncio.timeout(CONNECT_S):
                        await self._list(client)
                elif self.calls == 0:
                    await self._ping(client)
                if not await in_database(is_current, self.spec):
                    self.closed = True
                    return
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    async def _ping(self, client: Client) -> None:
        """Ask for a sign of life. The newer protocol has no ping: there, the list of tools is asked for."""
        async with asyncio.timeout(PING_S):
            if client.session.discover_result is None:
                await client.session.send_ping()
            else:
                await self._list(client)

    async def _listen(self, client: Client) -> None:
        """Hear of changed tools where the protocol has a stream for it."""
        capabilities = client.session.server_capabilities
        if client.session.discover_result is None or not (
            capabilities and capabilities.tools and capabilities.tools.list_changed
        ):
            return
        with contextlib.suppress(
            Exception
        ):  # A server that lets nobody listen is asked at each look instead.
            async with client.listen(tools_list_changed=True) as events:
                self._changed.set()  # What changed before we listened is told by nobody.
                async for _ in events:
                    self._changed.set()

    async def _heard(self, message: Any) -> None:
        from mcp_types import ToolListChangedNotification

        if isinstance(message, ToolListChangedNotification):
            self._changed.set()

    async def _list(self, client: Client) -> None:
        found = await list_tools(client)
        if found == self._known:
            return
        self._known = found
        if not await in_database(record_listing, self.spec, found, info=name_of(client)):
            self.closed = True
            self._over.set()

    async def _rest(self, failures: int) -> None:
        """Wait before connecting again: longer each time, never in step with others, shorter for a call that waits."""
        wait_s = min(FIRST_WAIT_S * 2 ** min(failures, 10), LONGEST_WAIT_S) * random.uniform(0.5, 1.0)
        await _first_of(self._over_by_hand, timeout_s=min(wait_s, AT_LEAST_S))
        await _first_of(self._wanted, self._over_by_hand, timeout_s=wait_s)
        self._wanted.clear()


async def _first_of(*events: asyncio.Event, timeout_s: float) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
