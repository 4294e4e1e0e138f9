"""Which numbers are public. What is not known to be is not.

The tables are our own: those of Python's `ipaddress` differ between its patch releases.
"""

from __future__ import annotations

import socket
from contextlib import closing
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

REFUSED_V4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "reserved",
    "192.52.193.0/24": "reserved",
    "192.88.99.0/24": "reserved",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved",
    "198.18.0.0/15": "benchmark",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
REFUSED_V6 = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "64:ff9b:1::/48": "private",
    "2001::/32": "a tunnel's",
    "2001:db8::/32": "documentation",
    "2001::/23": "reserved",
    "2002::/16": "a tunnel's",
    "2620:4f:8000::/48": "reserved",
    "3fff::/20": "documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
METADATA = frozenset(
    ip_address(address)
    for address in (
        "169.254.169.254", "169.254.169.253", "169.254.169.123", "169.254.170.2", "169.254.170.23", "169.254.0.23",
        "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip
NEVER = frozenset({"metadata", "unspecified", "link-local", "multicast", "a tunnel's"})

_V4 = [(IPv4Network(network), why) for network, why in REFUSED_V4.items()]
_V6 = [(IPv6Network(network), why) for network, why in REFUSED_V6.items()]
_GLOBAL = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


def why_not_public(address: Address) -> str:
    """Return what kind of address it is that may not be reached; empty for a public one.

    An IPv4 address inside an IPv6 one counts as what it carries, or is refused with the form that carries it.
    """
    if address in METADATA:
        return "metadata"
    if isinstance(address, IPv4Address):
        return next((why for network, why in _V4 if address in network), "")
    if address.scope_id:
        return "link-local"
    if address in _MAPPED or address in _NAT64:
        return why_not_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    if why := next((why for network, why in _V6 if address in network), ""):
        return why
    if address not in _GLOBAL:
        return "reserved"
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return "a tunnel's"
    return ""


def unmapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv4-mapped one means; that is what a connection would go to."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_our_own(address: Address) -> bool:
    """Say whether this machine has the address: its public one leads to services that only listen behind a firewall."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
