"""Read an address as a person, a page or a model wrote it, and give it back in the one form that is checked and dialled.

Everything after this uses what came out of here, so no two readers can disagree about where an address leads.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from urllib.parse import quote, urljoin, urlsplit

from agents.egress.addresses import unmapped
from agents.egress.errors import Refused

MOST_CHARACTERS = 8_000
SCHEMES = {"http": 80, "https": 443}
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
_SAFE = "/:@!$&'()*+,;=~%-._[]|^{}`\"<>?"


@dataclass(frozen=True)
class Target:
    """Where a request goes. `host` is a name in ASCII without a last dot, or a plain IP address."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == SCHEMES[self.scheme] else f"{shown}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}"


def read_url(text: str, *, relative_to: str = "") -> Target:
    """Return where a URL leads. Raises Refused for one that is not http or https, or can be read in two ways."""
    text = text.strip(" \t\r\n\f")
    if len(text) > MOST_CHARACTERS:
        raise Refused("the address is too long")
    if relative_to:
        text = urljoin(relative_to, text)
    scheme, separator, _ = text.partition(":")
    if not separator or scheme.lower() not in SCHEMES:
        raise Refused(f"only http and https are fetched, not {scheme[:20]!r}")
    scheme, rest = scheme.lower(), text[len(scheme) + 1 :]
    if not rest.startswith("//"):
        raise Refused("the address has no host")
    try:
        parts = urlsplit(f"{scheme}:{rest}")
    except ValueError:
        raise Refused("the address is malformed") from None
    if "@" in parts.netloc:
        raise Refused("an address with a user name or password in it is not fetched")
    if _FORBIDDEN.search(parts.netloc):
        raise Refused("the host is malformed")
    name, port = split_port(parts.netloc, SCHEMES[scheme])
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return Target(scheme, read_host(name), port, (path if path.startswith("/") else f"/{path}") + query)


def split_port(authority: str, default: int) -> tuple[str, int]:
    """Split `host`, `host:port`, `[v6]` or `[v6]:port`."""
    if authority.startswith("["):
        name, closing, after = authority.partition("]")
        name += closing
        if not closing or (after and not after.startswith(":")):
            raise Refused("the host is malformed")
        digits = after[1:]
    else:
        name, _, digits = authority.partition(":")
    if not digits:
        return name, default
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65_536):
        raise Refused("the port is not a number between 1 and 65535")
    return name, int(digits)


def read_host(name: str) -> str:
    """Return a host in its one form. Every spelling of an IP address comes out as that address."""
    if name.startswith("["):
        return _read_v6(name[1:-1])
    if "%" in name:
        raise Refused("a host cannot be percent-encoded or have a zone", host=name[:80])
    name = unicodedata.normalize("NFKC", name).translate(_DOTS).replace("\u00ad", "").lower()
    name = name[:-1] if name.endswith(".") else name
    if not name or name.startswith(".") or ".." in name or name.endswith("."):
        raise Refused("the host is malformed", host=name[:80])
    if not name.isascii():
        name = _to_ascii(name)
    last = name.rpartition(".")[2]
    if last.isdigit() or last.startswith("0x"):
        return _read_v4(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise Refused("the host is malformed", host=name[:80])
    return name


def as_address(host: str) -> IPv4Address | IPv6Address | None:
    """Return the IP address that a host in its one form is, if it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def _to_ascii(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise Refused("the host is not a valid international name") from None


def _read_v6(text: str) -> str:
    if "%" in text:
        raise Refused("an address with a zone is not reached", host=text[:80])
    try:
        return str(unmapped(IPv6Address(text)))
    except AddressValueError:
        raise Refused("the IPv6 address is malformed", host=text[:80]) from None


def _read_v4(name: str) -> str:
    """Read the forms that `inet_aton` and browsers take: one to four parts, each decimal, octal or hexadecimal."""
    parts = name.split(".")
    if len(parts) > 4:
        raise Refused("the host ends in a number but is no IPv4 address", host=name[:80])
    numbers = [_number(part, name) for part in parts]
    *bytes_, rest = numbers
    if any(number > 255 for number in bytes_) or rest >= 256 ** (5 - len(numbers)):
        raise Refused("the IPv4 address is malformed", host=name[:80])
    value = rest + sum(number << (8 * (3 - place)) for place, number in enumerate(bytes_))
    return str(IPv4Address(value))


def _number(part: str, name: str) -> int:
    digits, base = part, 10
    if part.startswith("0x"):
        digits, base = part[2:] or "0", 16
    elif len(part) > 1 and part.startswith("0"):
        digits, base = part[1:], 8
    try:
        if "_" in digits or "+" in digits or "-" in digits or len(digits) > 40:
            raise ValueError
        return int(digits, base)
    except ValueError:
        raise Refused("the host ends in a number but is no IPv4 address", host=name[:80]) from None
