"""The suite's own PostgreSQL and Valkey.

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
    if os.environ.get("SPACEBOT_TEST_SERVERS"):
        return
    from spacebot_site.launch import embedded

    _own_home = Path(tempfile.mkdtemp(prefix="spacebot-test-"))
    (_own_home / "static").mkdir()  # WhiteNoise warns about a folder that is not there
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
