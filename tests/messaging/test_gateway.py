"""The gateway with real rows, leases and threads, and a platform in memory."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from accounts.database import release_connection
from messaging.adapters.base import InboundMessage
from messaging.adapters.fake import FakeAdapter, FakePlatform
from messaging.adapters.registry import ADAPTERS
from messaging.errors import AdapterFailed
from messaging.models import Binding, Message, PlatformAccount
from messaging.services import leases
from messaging.services.inbound import store_inbound
from spacebot_site.gateway import Gateway

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePlatform]:
    from messaging.adapters import fake

    monkeypatch.setitem(ADAPTERS, "fake", FakeAdapter)
    yield FakePlatform("far")
    fake._PLATFORMS.clear()


@pytest.fixture
def account(team: Any, platform: FakePlatform) -> PlatformAccount:
    account = PlatformAccount.objects.create(
        organization=team.organization, platform="fake", settings={"server": "far", "token": "right"}
    )
    Binding.objects.create(
        organization=team.organization,
        account=account,
        agent_id=team.agent.pk,
        conversation_ids=["*"],
        sender_ids=["*"],
    )
    return account


def arriving(account: PlatformAccount, external_id: str = "m1", text: str = "hello") -> InboundMessage:
    return InboundMessage(account.pk, "room", False, external_id, "u1", "Uma", text)


@asynccontextmanager
async def running(
    receive: Callable[[InboundMessage], object] = store_inbound, **options: Any
) -> AsyncIterator[Gateway]:
    gateway, stop = (
        Gateway(receive, **{"reconcile_s": 0.05, "first_retry_s": 0.02, **options}),
        asyncio.Event(),
    )
    task = asyncio.create_task(gateway.run(stop))
    try:
        yield gateway
    finally:
        stop.set()
        await asyncio.wait_for(task, timeout=30)


async def until(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], timeout_s: float = 30) -> None:
    ends_at = time.monotonic() + timeout_s
    while True:
        answer = holds()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        assert time.monotonic() < ends_at, "it never came to hold"
        await asyncio.sleep(0.01)


def noting(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return what the row shows after each change of its state: between two looks at it several may pass."""
    noted: list[tuple[str, str]] = []
    set_state = leases.set_state

    def note(account_id: int, **change: Any) -> None:
        set_state(account_id, **change)
        noted.append(PlatformAccount.objects.values_list("state", "state_reason").get(pk=account_id))

    monkeypatch.setattr(leases, "set_state", note)
    return noted


async def shown(account: PlatformAccount) -> tuple[str, str]:
    row = await PlatformAccount.objects.aget(pk=account.pk)
    return row.state, row.state_reason


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    """Run a scenario, and close the connection of the thread that did its queries."""

    async def whole() -> None:
        try:
            await scenario()
        finally:
            await sync_to_async(release_connection)()

    asyncio.run(whole())


def shows(account: PlatformAccount, state: str) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return (await shown(account))[0] == state

    return check


@sync_to_async
def change(account: PlatformAccount, **fields: Any) -> None:
    PlatformAccount.objects.filter(pk=account.pk).update(**fields)


def test_it_connects_stores_what_arrives_and_leaves_cleanly(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        async with running():
            await until(shows(account, "running"))
            platform.say(arriving(account))
            await until(lambda: not platform.unacknowledged())
        assert await Message.objects.acount() == 1
        row = await PlatformAccount.objects.aget(pk=account.pk)
        assert (row.state, row.leased_by, row.lease_expires_at) == ("stopped", "", None)

    play(scenario)
    assert platform.connected_now == 0


def test_a_broken_connection_is_made_again_and_says_why(
    account: PlatformAccount, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = noting(monkeypatch)

    async def scenario() -> None:
        platform.connect_faults = [
            AdapterFailed("no route"),
            ZeroDivisionError("secret"),
            AdapterFailed("again"),
        ]
        async with running():
            await until(shows(account, "running"))
        assert [reason for state, reason in noted if state == "retrying"] == [
            "no route", "The adapter failed unexpectedly (ZeroDivisionError).", "again",
        ]  # fmt: skip
        assert platform.connections == 4

    play(scenario)


def test_a_refused_token_waits_for_another_one(account: PlatformAccount, platform: FakePlatform) -> None:
    async def scenario() -> None:
        platform.token = "new"
        async with running():
            await until(shows(account, "failed"))
            assert await shown(account) == ("failed", "The token was refused.")
            await asyncio.sleep(0.3)
            assert platform.connections == 0
            await change(account, settings={"server": "far", "token": "new"})
            await until(shows(account, "running"))

    play(scenario)


def test_only_what_the_connection_is_made_with_makes_it_anew(
    account: PlatformAccount, platform: FakePlatform, team: Any
) -> None:
    async def scenario() -> None:
        async with running():
            await until(lambda: platform.connected_now == 1)
            await change(
                account, settings={"server": "far", "token": "right", "colour": "blue"}, name="renamed"
            )
            await Binding.objects.filter(account=account).aupdate(require_mention=True)
            await asyncio.sleep(0.3)
            assert platform.connections == 1
            await change(account, settings={"server": "far", "token": "right", "token_secret": None})
            await asyncio.sleep(0.3)
            assert platform.connections == 1
            platform.token = "other"
            await change(account, settings={"server": "far", "token": "other"})
            await until(lambda: platform.connections == 2)

    play(scenario)


def test_an_account_that_is_switched_off_is_left_and_on_again_is_joined(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        async with running():
            await until(shows(account, "running"))
            await change(account, enabled=False)
            await until(shows(account, "stopped"))
            assert platform.connected_now == 0
            await change(account, enabled=True)
            await until(shows(account, "running"))

    play(scenario)


def test_two_gateways_never_hold_one_account_and_one_takes_over_from_the_other(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        async with running():
            async with running():
                await until(lambda: platform.connected_now == 1)
                for _ in range(30):
                    assert platform.connected_now <= 1
                    await asyncio.sleep(0.01)
                assert platform.connections == 1
            await until(lambda: platform.connected_now == 1)

    play(scenario)


def test_a_dead_gateways_lease_runs_out_and_not_before(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        await change(account, leased_by="dead", lease_expires_at=timezone.now() + timedelta(seconds=30))
        async with running():
            await asyncio.sleep(0.3)
            assert platform.connections == 0
            await change(account, lease_expires_at=timezone.now() - timedelta(seconds=1))
            await until(lambda: platform.connected_now == 1)

    play(scenario)


def test_a_gateway_that_lost_its_lease_lets_go(account: PlatformAccount, platform: FakePlatform) -> None:
    async def scenario() -> None:
        async with running():
            await until(lambda: platform.connected_now == 1)
            await change(account, leased_by="other", lease_expires_at=timezone.now() + timedelta(seconds=30))
            await until(lambda: platform.connected_now == 0)
            row = await PlatformAccount.objects.aget(pk=account.pk)
            assert row.leased_by == "other"

    play(scenario)


def test_what_could_not_be_stored_is_asked_for_again(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        failures = [OSError("the database is away")]

        def receive(inbound: InboundMessage) -> object:
            if failures:
                raise failures.pop()
            return store_inbound(inbound)

        platform.say(arriving(account))
        async with running(receive):
            await until(lambda: not platform.unacknowledged())
        assert await Message.objects.acount() == 1
        assert platform.connections == 2

    play(scenario)


def test_a_message_that_cannot_be_stored_at_all_does_not_block_those_behind_it(
    account: PlatformAccount, platform: FakePlatform
) -> None:
    async def scenario() -> None:
        platform.say(arriving(account, text="\x00"))
        platform.say(arriving(account, "m2"))
        async with running():
            await until(lambda: not platform.unacknowledged())
        assert [m.external_id async for m in Message.objects.all()] == ["m2"]
        assert platform.connections == 1

    play(scenario)


@pytest.mark.slow
def test_the_command_idles_with_a_pulse_and_ends_at_once_when_told(team: Any) -> None:
    from django.conf import settings

    pulse = Path(settings.SPACEBOT_HOME) / "run" / "gateway.pulse"
    pulse.unlink(missing_ok=True)
    environment = {**os.environ, "DATABASE_URL": _test_database_url(connection.settings_dict["NAME"])}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "gateway"], env=environment, stderr=subprocess.PIPE
    )
    try:
        ends_at = time.monotonic() + 60
        while not pulse.exists():
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < ends_at
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def _test_database_url(name: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
