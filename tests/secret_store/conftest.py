from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Path:
    """A home of its own."""
    settings.SPACEBOT_HOME = tmp_path
    settings.SPACEBOT_MASTER_KEY_FILE = ""
    return tmp_path
