"""The embedded servers together: PostgreSQL and Valkey, one pair per home, kept apart from the processes of ours.

They outlive whoever started them; the next start finds them by their pid files and goes on with them.
`DATABASE_URL` and `REDIS_URL` each replace one of them.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from spacebot_site.launch.errors import EmbeddedError
from spacebot_site.launch.home import locked
from spacebot_site.launch.os_processes import Identity, end
from spacebot_site.launch.postgres import postgres_identity, start_postgres
from spacebot_site.launch.servers import passwords, socket_folder
from spacebot_site.launch.valkey import start_valkey, valkey_identity

__all__ = ["EmbeddedError", "Services", "identities", "revive", "services", "start", "stop"]


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str


def services(home: Path) -> Services:
    """Return the addresses of the home's own servers, making their passwords at the first call."""
    found = passwords(home)
    sockets = socket_folder(home)
    return Services(
        database_url=f"postgresql://spacebot:{found['postgres']}@/spacebot?host={quote(str(sockets / 'pg'), safe='')}",
        redis_url=f"unix://:{found['valkey']}@{sockets / 'valkey.sock'}?db=0",
    )


def start(home: Path) -> Services:
    """Start both servers unless they run, and wait until they answer. Safe when two come at once."""
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        home.chmod(0o711)
    found = services(home)
    with locked(home, "servers"):
        start_postgres(home)
        start_valkey(home)
    return found


def revive(home: Path) -> None:
    """Start those servers that are ours to run and do not."""
    wants_postgres = not os.environ.get("DATABASE_URL", "").strip() and postgres_identity(home) is None
    wants_valkey = not os.environ.get("REDIS_URL", "").strip() and valkey_identity(home) is None
    if wants_postgres or wants_valkey:
        with locked(home, "servers"):
            if wants_postgres:
                start_postgres(home)
            if wants_valkey:
                start_valkey(home)


def stop(home: Path) -> None:
    """Stop both servers and wait until they are gone."""
    postgres, valkey = postgres_identity(home), valkey_identity(home)
    if valkey:
        end([valkey], timeout_s=15, number=signal.SIGTERM)
    if postgres:
        # SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
        end([postgres], timeout_s=30, number=signal.SIGINT)


def identities(home: Path) -> dict[str, Identity | None]:
    """Return the running servers of the home by name."""
    return {"postgres": postgres_identity(home), "valkey": valkey_identity(home)}
