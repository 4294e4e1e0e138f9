"""The suite's own PostgreSQL and Valkey; where several processes test, each has a Valkey of its own, as it has a database.

A plugin named in `addopts`, since pytest-django reads the settings before any conftest is loaded.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

_own_home: Path | None = None


def _start_servers() -> None:
    global _own_home
    from spacebot_site.launch import embedded, valkey

    if shared := os.environ.get("SPACEBOT_TEST_SERVERS"):
        if worker := os.environ.get("PYTEST_XDIST_WORKER"):
            _own_home = Path(shared) / worker
            _own_home.mkdir()
            valkey.start_valkey(_own_home)
            os.environ["REDIS_URL"] = embedded.services(_own_home).redis_url
        return
    _own_home = Path(tempfile.mkdtemp(prefix="spacebot-test-"))
    (_own_home / "static").mkdir()  # WhiteNoise warns about a folder that is not there
    os.environ["SPACEBOT_HOME"] = str(_own_home)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    found = embedded.start(_own_home)
    os.environ["DATABASE_URL"], os.environ["REDIS_URL"] = found.database_url, found.redis_url
    os.environ["SPACEBOT_TEST_SERVERS"] = str(_own_home)
    _be_careless(found.database_url)


def _be_careless(database_url: str) -> None:
    """Let PostgreSQL wait for no disk: what is lost with the machine is lost with the tests."""
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {name} = off")
        connection.execute("select pg_reload_conf()")


_start_servers()


def pytest_unconfigure() -> None:
    if _own_home is not None:
        from spacebot_site.launch import embedded

        embedded.stop(_own_home)
        shutil.rmtree(_own_home, ignore_errors=True)
