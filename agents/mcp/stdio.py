"""A server that is a program of this machine: started without our environment, read line by line within bounds.

The library's own transport inherits variables of ours and keeps lines of any length, so this one stands in its place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING

from agents.mcp.launch import Program, start_program
from agents.mcp.spec import Spec

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

LONGEST_LINE_BYTES = 8 * 1024 * 1024
KEPT_OF_ERRORS = 4_000
GRACE_S = 1.0
SHORTEST_HIDDEN = 5


@contextlib.asynccontextmanager
async def stdio_streams(
    spec: Spec, env: dict[str, str], *, on_end: Callable[[str], None]
) -> AsyncIterator[TransportStreams]:
    """Yield streams to a program; `on_end` hears, with its last words, when it stops by itself."""
    import anyio
    from mcp.shared.message import SessionMessage

    child = await start_program(spec, env, limit=LONGEST_LINE_BYTES)
    to_session, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](16)
    outgoing, from_session = anyio.create_memory_object_stream[SessionMessage](16)
    words = bytearray()

    async def read() -> None:
        async with to_session:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await _read_lines(child, to_session.send)
        on_end(_last_words(words, env.values()))

    async def write() -> None:
        with contextlib.suppress(ConnectionError, BrokenPipeError, anyio.ClosedResourceError):
            async with from_session:
                async for message in from_session:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    child.stdin.write(text.encode() + b"\n")
                    await child.stdin.drain()

    async def listen() -> None:
        while piece := await child.stderr.read(4_096):
            words.extend(piece)
            del words[:-KEPT_OF_ERRORS]

    tasks = [asyncio.create_task(work()) for work in (listen, read, write)]
    try:
        yield incoming, outgoing
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.shield(child.stop(GRACE_S))
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in (incoming, outgoing, to_session, from_session):
            stream.close()


async def _read_lines(child: Program, deliver: Callable[..., object]) -> None:
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    while True:
        try:
            line = await child.stdout.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return
        except asyncio.LimitOverrunError:
            return  # A line without an end: whatever this is, it does not speak the protocol.
        try:
            message = jsonrpc_message_adapter.validate_json(line, by_name=False)
        except ValueError:
            continue  # Programs print what they like; only messages count.
        await deliver(SessionMessage(message))  # type: ignore[misc]


def _last_words(words: bytearray, secrets: Iterable[str]) -> str:
    """Return the end of what a program complained about, without what it was handed."""
    said = words.decode(errors="replace").strip()
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        said = said.replace(secret, "…") if len(secret) >= SHORTEST_HIDDEN else said
    lines = "\n".join(said.splitlines()[-5:])
    return f"The program ended. {lines}" if lines else "The program ended."
