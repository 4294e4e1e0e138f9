"""The heads of HTTP/1 messages as they pass the proxy: read strictly, written anew."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

MOST_BYTES = 64_000
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOP = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "upgrade",
    "host",
}


class BadHead(Exception):
    pass


@dataclass(frozen=True)
class Head:
    """`first` is the request or status line; names are as they were written."""

    first: str
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """Return the field's value; empty where it is missing or there twice."""
        found = [value for each, value in self.fields if each.lower() == name]
        return found[0] if len(found) == 1 else ""

    def forwarded(self, first: str, *own: tuple[str, str]) -> bytes:
        """Return the head without what concerns one connection only, with fields of our own."""
        kept = [(name, value) for name, value in self.fields if name.lower() not in _HOP]
        lines = [first, *(f"{name}: {value}" for name, value in (*own, *kept, ("Connection", "close")))]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadHead("the head is too long") from None
    return parse_head(raw)


def parse_head(raw: bytes) -> Head:
    first, *lines = raw[:-4].decode("latin-1").split("\r\n")
    if any(mark in line for line in (first, *lines) for mark in "\r\n\0"):
        raise BadHead("the head is malformed")
    fields = []
    for line in lines:
        name, separator, value = line.partition(":")
        if not separator or not _TOKEN.fullmatch(name):
            raise BadHead("the head is malformed")
        fields.append((name, value.strip(" \t")))
    return Head(first, tuple(fields))
