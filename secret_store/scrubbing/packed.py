"""Look into compressed data, a bounded way."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator

MOST_UNPACKED = 8 * 1024 * 1024
SHORTEST_PACKED = 10
MARKS = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04")
"""With these a packed part is found behind something else, too."""
MOST_WITHIN = 4
_ZLIB_SECOND = frozenset(second for second in range(256) if (0x78 * 256 + second) % 31 == 0)
_RAW_FIRST = frozenset({2, 3, 4, 5})
"""The low three bits of a deflate stream with coded blocks; a stored block shows its content as it is."""


def unpack(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """Yield what `data` unpacks to, if it is gzip, zlib, deflate, bzip2, xz or zip; and whether it was cut off.

    Damaged data is unpacked as far as it goes.
    """
    if len(data) < SHORTEST_PACKED:
        return
    yield from _unpack_at_start(data)
    for mark in MARKS:
        at = 0
        for _ in range(MOST_WITHIN):
            if (at := data.find(mark, at + 1)) < 0:
                break
            yield from _unpack_at_start(data[at:])


def _unpack_at_start(data: bytes) -> Iterator[tuple[bytes, bool]]:
    if data[:3] == b"\x1f\x8b\x08":
        yield from _inflate(data, 31)
    elif data[0] == 0x78 and data[1] in _ZLIB_SECOND:
        yield from _inflate(data, 15)
    elif data[:3] == b"BZh":
        yield from _feed(bz2.BZ2Decompressor(), data)
    elif data[:6] == b"\xfd7zXZ\x00":
        yield from _feed(lzma.LZMADecompressor(memlimit=64 * 1024 * 1024), data)
    elif data[:4] == b"PK\x03\x04":
        yield from _members(data)
    elif data[0] & 7 in _RAW_FIRST:
        yield from _inflate(data, -15)


def _inflate(data: bytes, window_bits: int) -> Iterator[tuple[bytes, bool]]:
    inflater = zlib.decompressobj(window_bits)
    try:
        content = inflater.decompress(data, MOST_UNPACKED)
    except zlib.error:
        if window_bits > 0:
            yield from _as_far_as_it_goes(data, window_bits)
        return
    if len(content) >= SHORTEST_PACKED // 2:
        yield content, bool(inflater.unconsumed_tail)


def _as_far_as_it_goes(data: bytes, window_bits: int) -> Iterator[tuple[bytes, bool]]:
    inflater = zlib.decompressobj(window_bits)
    content = bytearray()
    try:
        for at in range(0, len(data), 64):
            content += inflater.decompress(data[at : at + 64], MOST_UNPACKED)
            if len(content) > MOST_UNPACKED:
                break
    except zlib.error:
        pass
    if content:
        yield bytes(content), len(content) > MOST_UNPACKED


def _feed(opener: bz2.BZ2Decompressor | lzma.LZMADecompressor, data: bytes) -> Iterator[tuple[bytes, bool]]:
    try:
        content = opener.decompress(data, MOST_UNPACKED)
    except (OSError, EOFError, lzma.LZMAError, ValueError):
        return
    yield content, not opener.eof and not opener.needs_input


def _members(data: bytes) -> Iterator[tuple[bytes, bool]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            left = MOST_UNPACKED
            for info in archive.infolist():
                yield info.filename.encode("utf-8", "surrogatepass"), False
                if info.is_dir():
                    continue
                if info.flag_bits & 1 or left <= 0:
                    yield b"", True
                    continue
                with archive.open(info) as member:
                    content = member.read(left + 1)
                yield content, len(content) > left
                left -= len(content)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError):
        yield from _inflate_parts(data)


def _inflate_parts(data: bytes) -> Iterator[tuple[bytes, bool]]:
    """A zip that cannot be opened is not a zip that holds nothing."""
    yield b"", True
