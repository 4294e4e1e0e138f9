"""The suite's own PostgreSQL and Valkey, a network that ends at loopback, and two teams."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_own_home: Path | None = None


def _start_servers() -> None:
    global _own_home
    if os.environ.get("SPACEBOT_TEST_SERVERS"):
        return
    from spacebot_site.launch import embedded

    _own_home = Path(tempfile.mkdtemp(prefix="spacebot-test-"))
    os.environ["SPACEBOT_HOME"] = str(_own_home)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    found = embedded.start(_own_home)
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = found.database_url, found.redis_url
    os.environ["SPACEBOT_TEST_SERVERS"] = str(_own_home)


_start_servers()


def pytest_unconfigure() -> None:
    if _own_home is not None:
        from spacebot_site.launch import embedded

        embedded.stop(_own_home)
        shutil.rmtree(_own_home, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let transactional tests empty the audit trail, which refuses that otherwise."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET spacebot.allow_audit_truncate = 'on'")
        cursor.execute("SET spacebot.allow_audit_truncate = 'on'")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in (
            "127.0.0.1",
            "::1",
            "localhost",
        ):
            raise RuntimeError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)
    yield


@pytest.fixture
def team(db: None) -> Any:
    from tests.factories import make_team

    return make_team("acme")


@pytest.fixture
def rivals(db: None) -> Any:
    from tests.factories import make_team

    return make_team("rivals")
