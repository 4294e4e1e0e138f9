"""A network that ends at loopback, and two teams."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings

from spacebot_site.bench.emptying import empty_tables

# No example fails because the machine was slow or stood still.
settings.register_profile(
    "unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True, scope="session")
def _emptied_quickly() -> Iterator[None]:
    """Empty the database in our way where a test has committed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture
def team(db: None) -> Any:
    from tests.factories import make_team

    return make_team("acme")


@pytest.fixture
def rivals(db: None) -> Any:
    from tests.factories import make_team

    return make_team("rivals")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the test database's sessions, and no others, empty the audit trail between tests.

    At the end the sessions go that threads of the process still hold, which live as long as it: they would keep the database.
    """
    with django_db_blocker.unblock():
        from django.db import connection

        with connection.cursor() as cursor:
            name = connection.ops.quote_name(connection.settings_dict["NAME"])
            cursor.execute(f"alter database {name} set spacebot.allow_audit_truncate = 'on'")
        connection.close()
        connection.close_pool()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid, 20000) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run browser tests last: Playwright's event loop and the worker they start are then in nobody's way."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture
def caches_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be read again for the time that has passed: where statements are counted that is no part of the cost."""
    from agents.cortex import breakers
    from llm.services import routing
    from secret_store import shields

    for cache, name in ((routing, "KEEP_S"), (shields, "FRESH_S"), (breakers, "KEEP_S")):
        monkeypatch.setattr(cache, name, 3_600.0)
