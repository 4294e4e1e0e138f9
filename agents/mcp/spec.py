"""A server as the loop sees it: a copy of the row without the database, by which sessions are told apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.models import McpServer


@dataclass(frozen=True)
class Spec:
    """`env` and `headers` still hold references; they are resolved for each connection and kept nowhere."""

    server_id: int
    organization_id: int
    agent_id: int | None
    version: int
    name: str
    transport: str
    timeout_s: float
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    oauth: bool = False


def spec_of(server: McpServer) -> Spec:
    return Spec(
        server_id=server.pk,
        organization_id=server.organization_id,
        agent_id=server.agent_id,
        version=server.version,
        name=server.name,
        transport=server.transport,
        timeout_s=server.timeout_s,
        command=server.command,
        args=tuple(server.args),
        env=dict(server.env),
        url=server.url,
        headers=dict(server.headers),
        oauth=server.oauth,
    )
