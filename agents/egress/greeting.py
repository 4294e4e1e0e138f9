"""Which host the first bytes in a tunnel speak to.

A tunnel that was opened to one host and greets another would make a list of hosts worth little: large providers serve
many names behind one address.
"""

from __future__ import annotations

from agents.egress.heads import BadHead, parse_head

MOST_BYTES = 16_384
HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 0x16, 0x01, 0x0000


class Incomplete(Exception):
    """More bytes are needed to tell."""


def greeted_host(data: bytes) -> str | None:
    """Return the host that TLS or HTTP names, empty for TLS without a name, None for neither. Raises Incomplete."""
    if not data:
        raise Incomplete
    if data[0] == HANDSHAKE:
        try:
            return _server_name(_hello(data))
        except (IndexError, UnicodeDecodeError):
            return None
    if not data[:1].isalpha():
        return None
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise Incomplete
    try:
        head = parse_head(data[: end + 4])
    except BadHead:
        return None
    if not head.first.endswith((" HTTP/1.1", " HTTP/1.0")):
        return None
    return head.get("host") or None


def _hello(data: bytes) -> bytes:
    """Join the records that carry the greeting."""
    message, at = b"", 0
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        if len(data) < at + 5:
            raise Incomplete
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if data[at] != HANDSHAKE or not size:
            raise IndexError
        if len(data) < at + 5 + size:
            raise Incomplete
        message += data[at + 5 : at + 5 + size]
        at += 5 + size
    if message[0] != CLIENT_HELLO:
        raise IndexError
    return message[4 : 4 + int.from_bytes(message[1:4], "big")]


def _server_name(hello: bytes) -> str:
    at = 34  # version and random
    at += 1 + hello[at]  # session
    at += 2 + int.from_bytes(hello[at : at + 2], "big")  # ciphers
    at += 1 + hello[at]  # compression
    end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(hello)):
        kind, size = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
        if kind == SERVER_NAME:
            names = hello[at + 4 : at + 4 + size]
            length = int.from_bytes(names[3:5], "big")
            return names[5 : 5 + length].decode("ascii").lower()
        at += 4 + size
    return ""
