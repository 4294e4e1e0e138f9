"""Where an agent may go: plain data, so that the same policy means the same pool of connections."""

from __future__ import annotations

from dataclasses import dataclass

from agents.egress.errors import Refused

WEB_PORTS = frozenset({80, 443, 8000, 8008, 8080, 8443, 8888})
METADATA_NAMES = frozenset(
    {
        "metadata", "metadata.goog", "metadata.google.internal", "metadata.aws.internal", "instance-data",
        "instance-data.ec2.internal", "metadata.azure.com", "metadata.azure.internal", "metadata.tencentyun.com",
        "metadata.packet.net", "metadata.platformequinix.com", "metadata.oraclecloud.com",
    }
)  # fmt: skip
PRIVATE_SUFFIXES = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa",
    "test", "invalid", "example", "onion", "alt", "svc", "cluster.local", "in-addr.arpa", "ip6.arpa",
)  # fmt: skip


@dataclass(frozen=True)
class Policy:
    """`allowed` are patterns of public hosts (empty: all); `private` are exact hosts that need not be public.

    A pattern is a host, or `*.` and a domain, which means its subdomains; with a port it opens that port too.
    """

    allowed: frozenset[tuple[str, int]] = frozenset()
    private: frozenset[tuple[str, int]] = frozenset()

    def is_private(self, host: str, port: int) -> bool:
        return (host, port) in self.private

    def check(self, host: str, port: int) -> None:
        """Raise Refused for what the name and the port tell already, before anything is resolved."""
        if host in METADATA_NAMES:
            raise Refused("it gives out the machine's own credentials", host=host, port=port)
        if self.is_private(host, port):
            return
        rules = [(pattern, opened) for pattern, opened in self.allowed if matches(pattern, host)]
        if self.allowed and not rules:
            raise Refused("it is not among the hosts this agent may reach", host=host, port=port)
        if port not in WEB_PORTS and (port not in {opened for _, opened in rules}):
            raise Refused(f"port {port} is not one of the web's", host=host, port=port)
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in PRIVATE_SUFFIXES):
            raise Refused("the name is a private one", host=host, port=port)
        if "." not in host and ":" not in host:
            raise Refused("the name is not a public one", host=host, port=port)


def matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


OPEN = Policy()
