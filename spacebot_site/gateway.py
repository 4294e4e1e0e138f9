"""The gateway: holds the connections to platforms, each account in one gateway, and starts a broken one again.

Nothing here knows a platform. Rows say what should run; a lease says who runs it; an adapter runs until it is
cancelled or fails. What arrives is stored before the platform hears that it was received.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from accounts.database import release_connection
from accounts.errors import AccountsError, InvalidInput
from accounts.logs import get_logger
from messaging.adapters.base import InboundMessage
from messaging.errors import AdapterFailed
from messaging.models import PlatformAccount
from messaging.services import leases
from messaging.services.accounts import connection_fingerprint, make_adapter

log = get_logger(__name__)

RECONCILE_S = 5.0
ROUND_WITHIN_S = 5.0
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
FORGIVE_AFTER_S = 60.0
STOP_WITHIN_S = 8.0

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class _Connection:
    """One account's adapter. After `held_until` (monotonic) without a renewed lease it must be gone."""

    account: PlatformAccount
    fingerprint: str
    held_until: float
    task: asyncio.Task[None] | None = field(default=None)

    @property
    def was_cancelled(self) -> bool:
        """Tell whether it was being stopped by a round that was cut short."""
        return self.task is not None and (self.task.cancelled() or self.task.cancelling() > 0)


class Gateway:
    """Runs adapters until `stop` is set. `receive` stores one message and is called in a thread.

    `pulse` is a file that is touched at each round, for whoever watches this process.
    """

    def __init__(
        self,
        receive: Callable[[InboundMessage], object],
        *,
        pulse: Path | None = None,
        reconcile_s: float = RECONCILE_S,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._receive_message = receive
        self._pulse = pulse
        self._reconcile_s = reconcile_s
        self._first_retry_s = first_retry_s
        self._connections: dict[int, _Connection] = {}
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="gateway")

    async def run(self, stop: asyncio.Event) -> None:
        """Make what runs equal to what the rows say, again and again; leave cleanly when `stop` is set."""
        try:
            while not stop.is_set():
                if self._pulse is not None:
                    self._pulse.touch()
                try:
                    await asyncio.wait_for(self._reconcile(), timeout=ROUND_WITHIN_S)
                except Exception:
                    log.exception("gateway_round_failed")
                await self._stop_where(lambda connection: connection.held_until < time.monotonic())
                await _wait(stop, self._reconcile_s)
        finally:
            await self._stop_where(lambda connection: True)
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _reconcile(self) -> None:
        """Start what is new, restart what connects differently now, stop what is gone; leave the rest alone."""
        asked_at = time.monotonic()
        accounts = {account.pk: account for account in await self._in_thread(leases.list_connectable)}
        await self._stop_where(lambda connection: connection.account.pk not in accounts)
        if not accounts:
            return
        held = await self._in_thread(leases.lease, accounts.keys(), holder=self.name)
        await self._stop_where(lambda connection: connection.account.pk not in held)
        for account_id in sorted(held):
            await self._refresh(accounts[account_id], held_until=asked_at + leases.LEASE_S / 2)

    async def _refresh(self, account: PlatformAccount, *, held_until: float) -> None:
        running = self._connections.get(account.pk)
        if running is not None:
            running.held_until = held_until
        try:
            fingerprint = await self._in_thread(connection_fingerprint, account)
        except AccountsError as error:
            log.error("gateway_credentials_unreadable", account_id=account.pk, reason=str(error))
            if running is None:
                await self._show(account.pk, "failed", str(error))
            return
        if running is not None and running.fingerprint == fingerprint and not running.was_cancelled:
            return
        if running is not None and not await self._stop(running, release=False):
            return
        connection = _Connection(account, fingerprint, held_until)
        connection.task = asyncio.create_task(self._supervise(connection), name=f"adapter {account.pk}")
        self._connections[account.pk] = connection

    async def _supervise(self, connection: _Connection) -> None:
        """Hold one connection; after a failure wait 1 to 60 s, more each time, and begin anew.

        A permanent failure, such as a refused token, waits for other settings instead.
        """
        account, failures = connection.account, 0
        logger = log.bind(account_id=account.pk, platform=account.platform)
        while True:
            started_at = time.monotonic()
            await self._show(account.pk, "connecting")
            try:
                await self._listen(account)
                reason = "The connection ended."
            except AdapterFailed as error:
                reason = str(error)
                if error.permanent:
                    logger.error("adapter_failed_for_good", reason=reason)
                    await self._show(account.pk, "failed", reason)
                    return
            except Exception as error:
                logger.exception("adapter_crashed")
                reason = f"The adapter failed unexpectedly ({type(error).__name__})."
            failures = 1 if time.monotonic() - started_at > FORGIVE_AFTER_S else failures + 1
            delay_s = min(LONGEST_RETRY_S, self._first_retry_s * 2 ** (failures - 1)) * random.uniform(
                0.75, 1.25
            )
            logger.warning("adapter_restarts", reason=reason, delay_s=round(delay_s, 1))
            await self._show(account.pk, "retrying", reason)
            await asyncio.sleep(delay_s)

    async def _listen(self, account: PlatformAccount) -> None:
        loop = asyncio.get_running_loop()
        shown: list[asyncio.Task[None]] = []

        def on_ready() -> None:
            shown.append(loop.create_task(self._show(account.pk, "running")))

        adapter = await self._in_thread(make_adapter, account)
        try:
            await adapter.listen(self._receive, on_ready=on_ready)
        finally:
            await asyncio.gather(*shown, return_exceptions=True)

    async def _receive(self, inbound: InboundMessage) -> None:
        """Store the message; what cannot be a message is logged and acknowledged, for it would come for ever."""
        try:
            await self._in_thread(self._receive_message, inbound)
        except InvalidInput as error:
            log.warning(
                "message_refused",
                account_id=inbound.account_id,
                external_id=inbound.external_id,
                reason=str(error),
            )

    async def _stop_where(self, chosen: Callable[[_Connection], bool]) -> None:
        leaving = [connection for connection in self._connections.values() if chosen(connection)]
        await asyncio.gather(*(self._stop(connection, release=True) for connection in leaving))

    async def _stop(self, connection: _Connection, *, release: bool) -> bool:
        """End the connection; tell whether it did. One that will not end keeps its place and is tried again."""
        account_id = connection.account.pk
        if connection.task is not None:
            connection.task.cancel()
            _, still_running = await asyncio.wait({connection.task}, timeout=STOP_WITHIN_S)
            if still_running:
                log.error("adapter_does_not_stop", account_id=account_id)
                return False
        del self._connections[account_id]
        if release:
            try:
                await self._in_thread(leases.release, account_id, holder=self.name)
            except Exception as error:
                log.warning("lease_not_released", account_id=account_id, error=str(error))
        return True

    async def _show(self, account_id: int, state: str, reason: str = "") -> None:
        """Write the state to the row; that it cannot be shown must not end a connection."""
        try:
            await self._in_thread(leases.set_state, account_id, holder=self.name, state=state, reason=reason)
        except Exception as error:
            log.warning("state_not_shown", account_id=account_id, state=state, error=str(error))

    async def _in_thread(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run database work off the loop, and hand the connection back after it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(_released, partial(work, *args, **kwargs)))


def _released(work: Callable[[], R]) -> R:
    try:
        return work()
    finally:
        release_connection()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout=seconds)
    except TimeoutError:
        return
