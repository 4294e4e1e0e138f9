"""Decide whether a place may be reached, and return the very addresses to dial.

A name is resolved once, here; all its addresses must be allowed, and the connection goes to one of them. What the name
means a moment later does not matter.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from ipaddress import ip_address

from agents.egress.addresses import NEVER, Address, is_our_own, unmapped, why_not_public
from agents.egress.errors import Refused, Stopped, TimedOut, Unreachable
from agents.egress.names import as_address
from agents.egress.policy import Policy

Resolver = Callable[[str], list[str]]
RESOLVE_TIMEOUT_S = 8.0
LOOK_EACH_S = 0.2
MOST_DIALLED = 4

_resolving = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


@dataclass(frozen=True)
class Checker:
    """The check of one policy. `resolve` is the system's, unless a test brings its own."""

    policy: Policy
    resolve: Resolver

    def addresses(self, host: str, port: int, *, stopped: Callable[[], bool] | None = None) -> list[str]:
        """Return what may be dialled for a host in its one form. Raises Refused, Unreachable, TimedOut or Stopped."""
        self.policy.check(host, port)
        literal = as_address(host)
        found = [literal] if literal is not None else self._resolved(host, stopped)
        private = self.policy.is_private(host, port)
        for address in found:
            self._check(address, host, port, private=private)
        return [str(address) for address in found[:MOST_DIALLED]]

    def _check(self, address: Address, host: str, port: int, *, private: bool) -> None:
        why = why_not_public(address)
        if not why and is_our_own(address):
            why = "this machine's own"
        if why and (not private or why in NEVER):
            leads = "it is" if str(address) == host else f"it leads to {address}, which is"
            raise Refused(f"{leads} {_with_article(why)} address", host=host, port=port)

    def _resolved(self, host: str, stopped: Callable[[], bool] | None) -> list[Address]:
        texts = _answer_of(_resolving.submit(self.resolve, host), host, stopped)
        found = list(dict.fromkeys(unmapped(_address(text, host)) for text in texts))
        if not found:
            raise Unreachable(f"there is no host {host}")
        return found


def _answer_of(answer: Future[list[str]], host: str, stopped: Callable[[], bool] | None) -> list[str]:
    """Wait for a look-up, which nothing can interrupt: a run that is stopped leaves it behind."""
    until = time.monotonic() + RESOLVE_TIMEOUT_S
    while not wait([answer], timeout=LOOK_EACH_S).done:
        if stopped is not None and stopped():
            answer.cancel()
            raise Stopped("the run was stopped")
        if time.monotonic() > until:
            answer.cancel()
            raise TimedOut(f"looking up {host} took too long")
    try:
        return answer.result()
    except (OSError, UnicodeError):
        raise Unreachable(f"there is no host {host}") from None


def system_resolver(host: str) -> list[str]:
    rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(row[4][0]) for row in rows]


def checker_for(policy: Policy) -> Checker:
    return Checker(policy, system_resolver)


def _address(text: str, host: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Refused("its name leads to something that is no address", host=host) from None


def _with_article(why: str) -> str:
    if why.startswith(("a ", "this ")):
        return why
    return f"an {why}" if why[0] in "aeiou" else f"a {why}"
