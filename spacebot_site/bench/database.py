"""A throwaway database for benches that call services directly: embedded servers in a temporary home."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spacebot_site.bench.home import OURS


@contextmanager
def throwaway_database() -> Iterator[Path]:
    """Start servers, set Django up on them and migrate; afterwards stop them and remove the folder."""
    from spacebot_site.launch import embedded

    home = Path(tempfile.mkdtemp(prefix="spacebot-bench-"))
    for name in [name for name in os.environ if name.startswith(OURS) and name != "SPACEBOT_EMBEDDER"]:
        del os.environ[name]
    os.environ["SPACEBOT_HOME"] = str(home)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacebot_site.settings")
    try:
        embedded.start(home)
        _set_up()
        yield home
    finally:
        _close()
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _set_up() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _close() -> None:
    from django.apps import apps
    from django.db import connections

    if apps.ready:
        used: Any = connections["default"]
        used.close()
        used.close_pool()
