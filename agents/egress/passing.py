"""One connection through the proxy: who asks, where to, may they, and then both directions until one ends."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.egress.errors import EgressError, Refused, TimedOut, Unreachable
from agents.egress.greeting import MOST_BYTES, Incomplete, greeted_host
from agents.egress.heads import MOST_BYTES as MOST_HEAD_BYTES
from agents.egress.heads import BadHead, Head, read_head
from agents.egress.names import as_address, read_host, read_url, split_port

if TYPE_CHECKING:
    from agents.egress.proxy import FilterProxy

PIECE_BYTES = 65_536
CONNECT_EACH_S = 5.0
WORDS = {
    400: "Bad Request", 403: "Forbidden", 407: "Proxy Authentication Required", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
OUR_WORDS = "X-Spacebot-Proxy"
"""Marks an answer of the proxy itself."""
__all__ = ["MOST_HEAD_BYTES", "OUR_WORDS", "serve"]


@dataclass
class Beat:
    """When bytes last went either way through a connection."""

    at: float = field(default_factory=time.monotonic)


async def serve(
    proxy: FilterProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool
) -> None:
    """Serve one connection to its end. With `asks` the password of the run is needed."""
    try:
        async with asyncio.timeout(proxy.limits.lasts_s):
            await _answer(proxy, reader, writer, asks=asks)
    except (OSError, EOFError, TimeoutError):
        pass
    finally:
        await _close(writer)


async def _answer(
    proxy: FilterProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool
) -> None:
    try:
        async with asyncio.timeout(proxy.limits.head_s):
            head = await read_head(reader)
        if len(proxy.connections) > proxy.limits.connections:
            return await _say(writer, 503, "too many connections at once")
        if asks and not _knows_password(proxy, head):
            return await _say(writer, 407, "the proxy wants its password")
        method, _, rest = head.first.partition(" ")
        target, _, version = rest.rpartition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise BadHead("this proxy speaks HTTP/1")
        if method == "CONNECT":
            await _tunnel(proxy, target, reader, writer)
        else:
            await _forward(proxy, method, target, head, reader, writer)
    except BadHead as error:
        await _say(writer, 400, str(error))
    except Refused as error:
        proxy.saw(error)
        await _say(writer, 403, str(error))
    except TimedOut as error:
        await _say(writer, 504, str(error))
    except EgressError as error:
        await _say(writer, 502, str(error))


async def _tunnel(
    proxy: FilterProxy, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    name, port = split_port(target, 0)
    if not port or "@" in name:
        raise BadHead("CONNECT wants a host and a port")
    host = read_host(name)
    upstream, out = await _dial(proxy, host, port)
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        first = await _greeting(proxy, reader, host, port)
        if first:
            proxy.used_bytes += len(first)
            out.write(first)
            await out.drain()
            await _splice(proxy, reader, writer, upstream, out)
    finally:
        await _close(out)


async def _greeting(proxy: FilterProxy, reader: asyncio.StreamReader, host: str, port: int) -> bytes:
    """Return the first bytes, once they are known to speak to the host that the tunnel was opened to; empty if not."""
    data = b""
    while len(data) < MOST_BYTES:
        async with asyncio.timeout(proxy.limits.head_s):
            piece = await reader.read(MOST_BYTES - len(data))
        if not piece:
            return b""
        data += piece
        try:
            named = greeted_host(data)
        except Incomplete:
            continue
        if named is not None and _is_same(named, host, is_tls=data[0] == 0x16):
            return data
        why = (
            "neither TLS nor HTTP is spoken in the tunnel"
            if named is None
            else "the tunnel speaks to another host"
        )
        proxy.saw(Refused(why, host=host, port=port))
        return b""
    return b""


def _is_same(named: str, host: str, *, is_tls: bool) -> bool:
    if is_tls and not named:
        return as_address(host) is not None
    try:
        return read_host(split_port(named, 0)[0]) == host
    except Refused:
        return False


async def _forward(
    proxy: FilterProxy,
    method: str,
    target: str,
    head: Head,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Pass one plain request on; the connection ends with its answer, so that no second one slips through unchecked."""
    place = read_url(target)
    if place.scheme != "http":
        raise BadHead("https goes through CONNECT")
    upstream, out = await _dial(proxy, place.host, place.port)
    try:
        out.write(head.forwarded(f"{method} {place.path} HTTP/1.1", ("Host", place.authority)))
        await out.drain()
        beat = Beat()
        asking = asyncio.ensure_future(_pump(proxy, reader, out, beat))
        try:
            await _pass_answer_head(proxy, upstream, writer)
            await _pump(proxy, upstream, writer, beat)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
    finally:
        await _close(out)


async def _pass_answer_head(
    proxy: FilterProxy, upstream: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    status = "100"
    while status.startswith("1"):
        async with asyncio.timeout(proxy.limits.idle_s):
            try:
                answer = await read_head(upstream)
            except (BadHead, EOFError):
                raise Unreachable("the server's answer is malformed") from None
        status = answer.first.partition(" ")[2].strip()
        if status.startswith("101"):
            raise Unreachable("the server switches protocols without being asked")
        writer.write(answer.forwarded(answer.first))
    await writer.drain()


async def _dial(
    proxy: FilterProxy, host: str, port: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if proxy.used_bytes > proxy.limits.total_bytes:
        raise Refused("this run has moved as many bytes as it may", host=host, port=port)
    addresses = await asyncio.to_thread(proxy.checker.addresses, host, port)
    each_s = proxy.limits.connect_s if len(addresses) == 1 else CONNECT_EACH_S
    for address in addresses:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(each_s):
                return await asyncio.open_connection(address, port, limit=MOST_HEAD_BYTES)
    raise Unreachable(f"{host} does not answer")


async def _splice(
    proxy: FilterProxy,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    upstream: asyncio.StreamReader,
    out: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways until the far end stops, or neither says anything for a while."""
    beat = Beat()
    going = asyncio.ensure_future(_pump(proxy, reader, out, beat))
    coming = asyncio.ensure_future(_pump(proxy, upstream, writer, beat))
    try:
        await asyncio.wait([going, coming], return_when=asyncio.FIRST_COMPLETED)
        if going.done() and not going.exception():
            await coming
    finally:
        for task in (going, coming):
            task.cancel()
        await asyncio.gather(going, coming, return_exceptions=True)


async def _pump(
    proxy: FilterProxy, source: asyncio.StreamReader, sink: asyncio.StreamWriter, beat: Beat
) -> None:
    while piece := await _next_piece(proxy, source, beat):
        beat.at = time.monotonic()
        proxy.used_bytes += len(piece)
        if proxy.used_bytes > proxy.limits.total_bytes:
            raise ConnectionAbortedError
        sink.write(piece)
        async with asyncio.timeout(proxy.limits.idle_s):
            await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()


async def _next_piece(proxy: FilterProxy, source: asyncio.StreamReader, beat: Beat) -> bytes:
    """Wait for bytes as long as either direction is alive."""
    while True:
        try:
            async with asyncio.timeout(proxy.limits.idle_s):
                return await source.read(PIECE_BYTES)
        except TimeoutError:
            if time.monotonic() - beat.at > proxy.limits.idle_s:
                raise


def _knows_password(proxy: FilterProxy, head: Head) -> bool:
    expected = b64encode(f"run:{proxy.password}".encode()).decode()
    kind, _, given = head.get("proxy-authorization").partition(" ")
    return kind.lower() == "basic" and hmac.compare_digest(given.strip().encode(), expected.encode())


async def _say(writer: asyncio.StreamWriter, status: int, words: str) -> None:
    body = f"Spacebot's proxy: {words}\n".encode()
    lines = [f"HTTP/1.1 {status} {WORDS[status]}", "Content-Type: text/plain; charset=utf-8"]
    lines += [f"Content-Length: {len(body)}", f"Connection: close\r\n{OUR_WORDS}: {status}"]
    if status == 407:
        lines.append('Proxy-Authenticate: Basic realm="Spacebot"')
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    with contextlib.suppress(OSError):
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(2):
            await writer.wait_closed()
