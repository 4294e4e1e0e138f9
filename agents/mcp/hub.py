"""The sessions of this process, one a server, and the way to them from the threads of runs."""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
from typing import TYPE_CHECKING, Any

from agents.errors import ToolFailed, ToolUnavailable
from agents.mcp.loop import submit
from agents.mcp.oauth import fresh_sign_in
from agents.mcp.session import CONNECT_S, Session
from agents.mcp.sign_in_flows import ANSWER_WITHIN_S
from agents.mcp.spec import Spec
from llm.types import CancelToken

if TYPE_CHECKING:
    from mcp_types import CallToolResult

MARGIN_S = 5.0

_sessions: dict[int, Session] = {}
"""By server; touched in the loop alone. A server belongs to one organization, and so does its session."""


def call(
    spec: Spec, name: str, arguments: dict[str, Any], *, timeout_s: float, cancel: CancelToken
) -> CallToolResult:
    """Call a tool from a run's thread; calls run beside each other.

    Raises ToolUnavailable when the server does not answer in time or ends, ToolFailed when the run is stopped.
    """
    future = submit(_call(spec, name, arguments, timeout_s))
    forget = cancel.on_cancel(lambda: _drop(future))
    try:
        return future.result(timeout_s + MARGIN_S)
    except concurrent.futures.CancelledError:
        raise ToolFailed("the run was stopped; whether the call took effect is unknown") from None
    except concurrent.futures.TimeoutError:
        future.cancel()
        raise ToolUnavailable(f"{spec.name} did not answer within {timeout_s:g} s") from None
    finally:
        forget()


def look(spec: Spec) -> str:
    """Reach a server and take down its tools; return what went wrong, or nothing."""
    try:
        return submit(_look(spec)).result(CONNECT_S * 2 + MARGIN_S)
    except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
        return "It did not answer in time."


def sign_in(spec: Spec, user_id: int) -> None:
    """Begin to sign in to a server, and go on in the loop while a person answers."""
    submit(_sign_in(spec, user_id))


def close_all() -> None:
    """End every session of this process, with its programs."""
    if _sessions:
        with contextlib.suppress(Exception):
            submit(_close_all()).result(15)


atexit.register(close_all)


def _session(spec: Spec) -> Session:
    """Return the server's session; one of an older version is closed, and none is made for an older one."""
    found = _sessions.get(spec.server_id)
    if found is not None and not found.closed:
        if found.spec == spec:
            return found
        if found.spec.version > spec.version:
            raise ToolFailed(f"{spec.name} was changed meanwhile")
        found.retire()
    _sessions[spec.server_id] = made = Session(spec)
    return made


def _drop(future: concurrent.futures.Future[Any]) -> None:
    future.cancel()


async def _call(spec: Spec, name: str, arguments: dict[str, Any], timeout_s: float) -> CallToolResult:
    return await _session(spec).call(name, arguments, timeout_s=timeout_s)


async def _look(spec: Spec) -> str:
    before = _sessions.get(spec.server_id)
    session = _session(spec)
    error = await session.look()
    if session is not before and session.calls == 0:
        await session.close()
    return error


async def _sign_in(spec: Spec, user_id: int) -> None:
    """Connect once with a person's help; the session of before is closed, and the next one finds what was stored."""
    before = _sessions.pop(spec.server_id, None)
    if before is not None:
        await before.close()
    session = Session(spec, auth=await fresh_sign_in(spec, user_id), connect_s=ANSWER_WITHIN_S + CONNECT_S)
    await session.look()
    await session.close()


async def _close_all() -> None:
    sessions = list(_sessions.values())
    _sessions.clear()
    await asyncio.gather(*(session.close() for session in sessions))
