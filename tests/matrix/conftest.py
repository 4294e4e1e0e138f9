"""One world for each module: made once, rolled back at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from tests.matrix.world import World, build_world, undone

PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(scope="module", autouse=True)
def _calm_settings(tmp_path_factory: Any) -> Iterator[None]:
    """Pages render without collected files, and nobody is refused for asking often."""
    folder: Path = tmp_path_factory.mktemp("static")
    with override_settings(
        STORAGES={**settings.STORAGES, "staticfiles": PLAIN},
        STATIC_ROOT=folder,
        SPACEBOT_RATE_SIGNED_IN=0,
        SPACEBOT_RATE_ANONYMOUS=0,
        ACCOUNT_RATE_LIMITS=False,
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ):
        yield


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, _calm_settings: None) -> Iterator[World]:
    """Make the rows in a transaction around those of the module's tests, which are marked `django_db`."""
    with django_db_blocker.unblock(), undone():
        yield build_world()
