"""Every encoding in which a secret must not get through, as functions of its text."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import json
import lzma
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

Encoding = Callable[[str], str]


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _deflate(text: str) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text.encode()) + packer.flush()


ENCODINGS: dict[str, Encoding] = {
    "plain": lambda text: text,
    "upper case": lambda text: text.upper(),
    "url": lambda text: quote(text, safe=""),
    "url plus": quote_plus,
    "url, every byte": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "url, every byte, capitals": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "url twice": lambda text: quote("".join(f"%{byte:02X}" for byte in text.encode()), safe=""),
    "base64, offset 0": lambda text: _b64(text.encode()),
    "base64, offset 1": lambda text: _b64(b"x" + text.encode() + b"yz"),
    "base64, offset 2": lambda text: _b64(b"xy" + text.encode() + b"z"),
    "base64url, offset 0": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64url, offset 1": lambda text: base64.urlsafe_b64encode(b"?" + text.encode()).decode(),
    "base64url, offset 2": lambda text: base64.urlsafe_b64encode(b"?>" + text.encode()).decode(),
    "base64 without padding": lambda text: _b64(text.encode()).rstrip("="),
    "base64 of UTF-16": lambda text: _b64(text.encode("utf-16-le")),
    "base64 in lines": lambda text: base64.encodebytes(b"first words, " * 5 + text.encode()).decode(),
    "base64 twice": lambda text: _b64(_b64(text.encode()).encode()),
    "base64 of hex": lambda text: _b64(text.encode().hex().encode()),
    "base64 in a URL": lambda text: quote(_b64(text.encode()), safe=""),
    "hex": lambda text: text.encode().hex(),
    "hex, capitals": lambda text: text.encode().hex().upper(),
    "hex with colons": lambda text: text.encode().hex(":"),
    "hex with spaces": lambda text: text.encode().hex(" "),
    "hex in twos of two": lambda text: text.encode().hex(" ", 2),
    "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "JSON, every character": lambda text: "".join(
        f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16-le")).cast("H")
    ),
    "HTML": html.escape,
    "HTML, every character": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, every character, hex": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "gzip, base64": lambda text: _b64(gzip.compress(text.encode())),
    "gzip, hex": lambda text: gzip.compress(text.encode()).hex(),
    "gzip, base64url": lambda text: base64.urlsafe_b64encode(gzip.compress(text.encode())).decode(),
    "zlib, base64": lambda text: _b64(zlib.compress(text.encode())),
    "zlib, hex": lambda text: zlib.compress(text.encode()).hex(),
    "deflate, base64": lambda text: _b64(_deflate(text)),
    "deflate, hex": lambda text: _deflate(text).hex(),
    "bzip2, base64": lambda text: _b64(bz2.compress(text.encode())),
    "xz, base64": lambda text: _b64(lzma.compress(text.encode())),
    "gzip of base64, base64": lambda text: _b64(gzip.compress(_b64(text.encode()).encode())),
}
