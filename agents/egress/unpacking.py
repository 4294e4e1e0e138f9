"""Unpack a body piece by piece, so that a small one cannot become a large one in memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from agents.egress.errors import TooLarge, Unreachable

ACCEPTED = "gzip, deflate"
PIECE_BYTES = 64_000


def read_body(pieces: Iterable[bytes], encoding: str, most_bytes: int) -> bytes:
    """Return the body, unpacked. Raises TooLarge as soon as either form passes `most_bytes`."""
    body = bytearray()
    for piece in _unpacked(_counted(pieces, most_bytes), encoding.strip().lower()):
        body += piece
        if len(body) > most_bytes:
            raise TooLarge(f"it is larger than {most_bytes:,} bytes")
    return bytes(body)


def _counted(pieces: Iterable[bytes], most_bytes: int) -> Iterator[bytes]:
    seen = 0
    for piece in pieces:
        seen += len(piece)
        if seen > most_bytes:
            raise TooLarge(f"it is larger than {most_bytes:,} bytes")
        yield piece


def _unpacked(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unreachable(f"its content encoding {encoding[:40]!r} was not asked for")
    try:
        yield from _inflated(pieces, is_gzip=encoding != "deflate")
    except zlib.error:
        raise Unreachable("its compressed content is broken") from None


def _inflated(pieces: Iterable[bytes], *, is_gzip: bool) -> Iterator[bytes]:
    machine = None
    for data in pieces:
        if machine is None:
            # "deflate" comes with zlib's header or, from some servers, without; the first byte tells.
            bare = not is_gzip and data[:1] and data[0] & 0x0F != 8
            machine = zlib.decompressobj(31 if is_gzip else -15 if bare else 15)
        while data and not machine.eof:
            yield machine.decompress(data, PIECE_BYTES)
            data = machine.unconsumed_tail
