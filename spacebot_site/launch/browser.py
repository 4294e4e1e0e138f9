"""Fetching a Chromium of our own, for machines that have none."""

from __future__ import annotations

import os
from pathlib import Path

from spacebot_site.launch.environment_setup import PYTHON
from spacebot_site.launch.fetching import fetch

OTHERWISE = "install the system's chromium package, or name a Chromium in SPACEBOT_CHROMIUM"


def install_browser(home: Path) -> None:
    """Put Chromium under the home, where the worker looks first. Doing it again brings it up to date."""
    folder = home / "browsers"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [str(PYTHON), "-m", "playwright", "install", "--no-shell", "chromium"]
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    fetch("Chromium", "180 MB", command, environment=environment, otherwise=OTHERWISE)
