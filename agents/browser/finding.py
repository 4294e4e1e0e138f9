"""Where Chromium is: named, fetched by `./spacebot install browser`, or the system's."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from django.conf import settings

from agents.browser.errors import NoBrowser
from agents.browser.walls import sandbox_here

SYSTEM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FETCHED = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")

LOOKED_EVERY_S = 30.0
_looked: dict[tuple[str, str], tuple[float, str]] = {}


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


def why_no_browser() -> str:
    """Return why this process can start no browser, or nothing; what was found is kept for half a minute."""
    place = (str(settings.SPACEBOT_HOME), str(settings.SPACEBOT_CHROMIUM))
    looked_at, reason = _looked.get(place, (0.0, ""))
    if not looked_at or time.monotonic() - looked_at > LOOKED_EVERY_S:
        reason = _look()
        _looked[place] = (time.monotonic(), reason)
    return reason


def _look() -> str:
    try:
        find_chromium()
        sandbox_here()
    except NoBrowser as error:
        return str(error)
    return ""
