"""One SDK client per provider, key, address and timeout in each process: making one costs a TLS context, 22 ms.

The SDKs take two seconds to import, so that happens at the first request and not before.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from llm.clients.endpoint import CONNECT_TIMEOUT_S, WRITE_TIMEOUT_S, Endpoint

if TYPE_CHECKING:
    import httpx2
    from anthropic import Anthropic
    from openai import OpenAI

T = TypeVar("T")
MAX_CONNECTIONS = 1_024
KEEP_CONNECTIONS = 256
KEEP_IDLE_S = 30.0

_lock = threading.RLock()
_clients: dict[tuple[str, int, str, str, float], Any] = {}
_users: Counter[Any] = Counter()
_retired: set[Any] = set()


def openai_client(endpoint: Endpoint) -> OpenAI:
    """Return the shared client; our own retries replace the SDK's."""

    def make() -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            api_key=endpoint.api_key or "none",
            base_url=endpoint.base_url or "https://api.openai.com/v1",
            max_retries=0,
            http_client=_http_client(endpoint),
        )

    client: OpenAI = _shared("openai", endpoint, make)
    return client


def anthropic_client(endpoint: Endpoint) -> Anthropic:
    """Return the shared client; our own retries replace the SDK's."""

    def make() -> Anthropic:
        from anthropic import Anthropic

        return Anthropic(
            api_key=endpoint.api_key or "none",
            base_url=endpoint.base_url or "https://api.anthropic.com",
            max_retries=0,
            http_client=_http_client(endpoint),
        )

    client: Anthropic = _shared("anthropic", endpoint, make)
    return client


def close_all() -> None:
    """Close every client; the next request makes new ones."""
    with _lock:
        clients = [*_clients.values(), *_retired]
        _clients.clear()
        _retired.clear()
    for client in clients:
        client.close()


@contextlib.contextmanager
def borrow(get: Callable[[Endpoint], T], endpoint: Endpoint) -> Iterator[T]:
    """Use a shared client for one request. One that was replaced meanwhile is closed by its last user."""
    with _lock:
        client = get(endpoint)
        _users[client] += 1
    try:
        yield client
    finally:
        with _lock:
            _users[client] -= 1
            if not _users[client]:
                del _users[client]
            is_last = client in _retired and client not in _users
            if is_last:
                _retired.discard(client)
        if is_last:
            client.close()  # type: ignore[attr-defined]


def _shared(vendor: str, endpoint: Endpoint, make: Any) -> Any:
    key = (vendor, endpoint.provider_id, endpoint.base_url, endpoint.api_key, endpoint.timeout_s)
    found = _clients.get(key)
    if found is not None:
        return found
    with _lock:
        if key not in _clients:
            # A new key, address or timeout replaces the client of the old one.
            for old in [k for k in _clients if k[:2] == key[:2] and endpoint.provider_id]:
                _retire(_clients.pop(old))
            _clients[key] = make()
        return _clients[key]


def _retire(client: Any) -> None:
    if client in _users:
        _retired.add(client)
    else:
        client.close()


def _http_client(endpoint: Endpoint) -> httpx2.Client:
    import httpx2

    from llm.clients.interrupt import InterruptibleBackend

    client = httpx2.Client(
        timeout=httpx2.Timeout(endpoint.timeout_s, connect=CONNECT_TIMEOUT_S, write=WRITE_TIMEOUT_S),
        limits=httpx2.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=KEEP_CONNECTIONS,
            keepalive_expiry=KEEP_IDLE_S,
        ),
        follow_redirects=True,
    )
    backend = InterruptibleBackend()
    # httpx2 has no public way to hand a backend to the pools it makes for itself and for the proxies it finds in
    # the environment; `tests/llm/clients/test_interrupt.py` fails if these names move.
    for transport in [client._transport, *client._mounts.values()]:
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = backend
    return client


atexit.register(close_all)
