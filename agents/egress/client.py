"""The one client that fetches for agents: each hop is checked, each connection pinned, and everything has an end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpcore2

from agents.egress.checking import Checker
from agents.egress.errors import EgressError, Refused, Stopped, TimedOut, TooLarge, Unreachable
from agents.egress.limits import USUAL, FetchLimits
from agents.egress.names import Target, read_url
from agents.egress.pools import pool_for
from agents.egress.unpacking import ACCEPTED, read_body
from llm.clients.interrupt import Call
from llm.types import CancelToken

USER_AGENT = "Mozilla/5.0 (compatible; Spacebot)"
REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Fetched:
    """An answer, whatever its status. `url` is where it came from after redirects; header names are in small letters."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    hops: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Fetch:
    checker: Checker
    call: Call
    limits: FetchLimits
    headers: dict[str, str] = field(default_factory=dict)

    def follow(self, url: str) -> Fetched:
        target = read_url(url)
        hops: list[str] = []
        for _ in range(self.limits.redirects + 1):
            answer = self._once(target)
            location = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not location:
                return Fetched(answer.url, answer.status, answer.headers, answer.body, tuple(hops))
            hops.append(target.url)
            before, target = target, read_url(location, relative_to=target.url)
            if before.scheme == "https" and target.scheme == "http":
                raise Refused("it redirects from https to http", host=target.host, port=target.port)
            if before.origin != target.origin:
                self._forget_what_is_for_one_origin()
        raise Unreachable(f"it redirects more than {self.limits.redirects} times")

    def _once(self, target: Target) -> Fetched:
        # A kept connection was checked when it was opened; the policy of names holds for each request.
        self.checker.policy.check(target.host, target.port)
        limits = self.limits
        timeouts = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s, "pool": 10.0}
        with pool_for(self.checker).stream(
            "GET",
            target.url,
            headers=list({"host": target.authority, **self.headers}.items()),
            extensions={"timeout": timeouts},
        ) as response:
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            redirected = response.status in REDIRECTS and "location" in headers
            body = b"" if redirected else read_body(
                response.iter_stream(), headers.get("content-encoding", ""), limits.body_bytes
            )  # fmt: skip
            return Fetched(target.url, response.status, headers, body)

    def _forget_what_is_for_one_origin(self) -> None:
        for name in [
            name for name in self.headers if name.lower() not in ("user-agent", "accept", "accept-encoding")
        ]:
            del self.headers[name]


def fetch(
    url: str,
    *,
    checker: Checker,
    cancel: CancelToken | None = None,
    limits: FetchLimits = USUAL,
    headers: Mapping[str, str] | None = None,
) -> Fetched:
    """GET a page. Raises a subclass of EgressError; headers of the caller's own do not follow to another origin."""
    call = Call(deadline_at=time.monotonic() + limits.total_s)
    sent = {"user-agent": USER_AGENT, "accept-encoding": ACCEPTED, "accept": "*/*", **(headers or {})}
    forget = cancel.on_cancel(call.abort) if cancel else None
    try:
        with _translated(call, limits), call.active():
            return _Fetch(checker, call, limits, sent).follow(url)
    finally:
        call.release()
        if forget:
            forget()


@contextlib.contextmanager
def _translated(call: Call, limits: FetchLimits) -> Iterator[None]:
    """Turn the library's errors into ours; an abort explains whatever went wrong after it."""
    try:
        yield
    except (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.TimeoutException,
        EgressError,
    ) as error:
        if call.is_aborted:
            raise Stopped("the run was stopped") from None
        if isinstance(error, httpcore2.TimeoutException):
            raise TimedOut(_too_slow(call, limits)) from None
        if isinstance(error, EgressError):
            raise
        raise Unreachable(f"no usable answer ({_plain(error)})") from None


def _too_slow(call: Call, limits: FetchLimits) -> str:
    if call.deadline_at is not None and time.monotonic() >= call.deadline_at:
        return f"it took longer than {limits.total_s:g} s"
    return "it answers too slowly"


def _plain(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__


__all__ = ["Fetched", "TooLarge", "fetch"]
