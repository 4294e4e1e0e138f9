"""Connections that were checked when they were opened, kept for those with the same policy and for nobody else."""

from __future__ import annotations

import atexit
import os
import ssl
import threading
from collections import OrderedDict
from collections.abc import Iterable
from functools import cache, partial
from typing import Any

import httpcore2

from agents.egress.checking import Checker
from agents.egress.names import read_host
from llm.clients.interrupt import InterruptibleBackend, current_call

MOST_POOLS = 64
CONNECT_EACH_S = 5.0

_lock = threading.Lock()
_pools: OrderedDict[Checker, httpcore2.ConnectionPool] = OrderedDict()


class CheckedBackend(InterruptibleBackend):
    """Dials what the checker returned; TLS still verifies the name, which httpcore takes from the request."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        call = current_call()
        stopped = None if call is None else (lambda: call.is_aborted)
        addresses = self._checker.addresses(
            read_host(f"[{host}]" if ":" in host else host), port, stopped=stopped
        )
        dial = partial(super().connect_tcp, port=port, socket_options=socket_options)
        each_s = timeout if len(addresses) == 1 or timeout is None else min(timeout, CONNECT_EACH_S)
        for address in addresses[:-1]:
            try:
                return dial(address, timeout=each_s)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return dial(addresses[-1], timeout=each_s)


def pool_for(checker: Checker) -> httpcore2.ConnectionPool:
    """Return the pool of this policy. Of too many, the idle one that was used least lately is closed."""
    retired: list[httpcore2.ConnectionPool] = []
    with _lock:
        pool = _pools.get(checker)
        if pool is None:
            pool = httpcore2.ConnectionPool(
                ssl_context=_tls(),
                max_connections=256,
                max_keepalive_connections=32,
                keepalive_expiry=15.0,
                network_backend=CheckedBackend(checker),
            )
            _pools[checker] = pool
        _pools.move_to_end(checker)
        if len(_pools) > MOST_POOLS:
            idle = [key for key, each in _pools.items() if each is not pool and _is_idle(each)]
            retired = [_pools.pop(key) for key in idle[:1]]
    for each in retired:
        each.close()
    return pool


def _is_idle(pool: httpcore2.ConnectionPool) -> bool:
    return all(connection.is_idle() for connection in pool.connections)


def close_all() -> None:
    with _lock:
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.close()


@cache
def _tls() -> ssl.SSLContext:
    import certifi

    return ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or certifi.where())


atexit.register(close_all)
