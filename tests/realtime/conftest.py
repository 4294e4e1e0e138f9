"""The site on a real uvicorn, for clients that speak over sockets."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from websockets.sync.client import ClientConnection, connect

from realtime import access, hub
from tests.factories import Team, make_team

PATIENCE_S = 25.0
"""For what comes at once, unless the machine stands still."""


class Site:
    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"

    def open(self, token: str, query: str = "", **options: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(
            f"ws://{self.address}/api/v1/events{query}",
            additional_headers={**headers, **options.pop("headers", {})},
            open_timeout=PATIENCE_S,
            **options,
        )


def hear(socket: ClientConnection, until: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the frames up to the first that satisfies `until`."""
    heard = []
    while True:
        heard.append(json.loads(socket.recv(timeout=PATIENCE_S)))
        if until(heard[-1]):
            return heard


def hear_ready(socket: ClientConnection) -> list[dict[str, Any]]:
    return hear(socket, lambda frame: frame["kind"] == "ready")


@pytest.fixture
def site(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(hub, "SUBSCRIBE_TIMEOUT_S", PATIENCE_S)  # Before it, what is not stored is not heard.
    settings.STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns about a folder that is not there
    from spacebot_site.asgi import application

    config = uvicorn.Config(application, port=0, log_level="error", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield Site(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join(PATIENCE_S)


@pytest.fixture
def acme(transactional_db: None) -> Team:
    return make_team("acme")


@pytest.fixture
def others(transactional_db: None) -> Team:
    return make_team("others")


@pytest.fixture
def readers() -> Iterator[set[tuple[int, int]]]:
    """Who may read which conversation: (user id, conversation id)."""
    allowed: set[tuple[int, int]] = set()
    before = access._conversation_gate
    access.set_conversation_gate(lambda user_id, conversation_id: (user_id, conversation_id) in allowed)
    yield allowed
    access.set_conversation_gate(before)


def token_of(actor: Any, *scopes: str) -> str:
    from accounts.services.tokens import create_token

    return create_token(actor, name="test", scopes=scopes or ["events:read"])[1]
