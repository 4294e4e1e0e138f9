"""Fetching a Chromium of our own, for machines that have none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from spacebot_site.launch.environment_setup import PYTHON
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.progress import step

FETCH_S = 1_200


def install_browser(home: Path) -> None:
    """Put Chromium under the home, where the worker looks first. Doing it again brings it up to date."""
    folder = home / "browsers"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [str(PYTHON), "-m", "playwright", "install", "--no-shell", "chromium"]
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    with step("Fetching Chromium (about 180 MB)"):
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=FETCH_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise LaunchError("Chromium could not be fetched in twenty minutes", "try again later") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise LaunchError(
            f"Chromium could not be fetched: {lines[0].strip()[:200] if lines else 'no reason given'}",
            "install the system's chromium package, or name a Chromium in SPACEBOT_CHROMIUM",
        )
