"""Where Chromium is: named, fetched by `./spacebot install browser`, or the system's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings

from agents.browser.errors import NoBrowser

SYSTEM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FETCHED = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")


def fetched_folder() -> Path:
    return Path(settings.SPACEBOT_HOME) / "browsers"


def find_chromium() -> Path:
    """Raises NoBrowser, with what to do."""
    if named := settings.SPACEBOT_CHROMIUM:
        if os.access(named, os.X_OK):
            return Path(named)
        raise NoBrowser(f"SPACEBOT_CHROMIUM names {named}, which is no program")
    fetched = [path for pattern in FETCHED for path in sorted(fetched_folder().glob(pattern))]
    if fetched:
        return fetched[-1]
    found = next((path for path in map(shutil.which, SYSTEM) if path), None)
    if found is None:
        raise NoBrowser("no Chromium is installed here; an administrator can run ./spacebot install browser")
    return Path(found)
