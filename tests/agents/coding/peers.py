"""The real opencode, from npm, as `./spacebot install opencode` fetches it; the real Claude Code where it is installed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from django.test import override_settings

from agents.coding.errors import NoBackend
from agents.coding.opencode.backend import Opencode
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.opencode import LOCK, install_opencode


def opencode() -> Path:
    """Return its program, fetched once for a lock file; SPACEBOT_OPENCODE names another."""
    if named := os.environ.get("SPACEBOT_OPENCODE"):
        return Path(named)
    digest = hashlib.sha256((LOCK / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = Path(tempfile.gettempdir()) / f"spacebot-coding-{os.getuid()}-{digest}"
    home.mkdir(exist_ok=True, mode=0o700)
    with (
        override_settings(SPACEBOT_HOME=home.resolve(), SPACEBOT_OPENCODE=""),
        (home / "lock").open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return Opencode().find()
        except NoBackend:
            return _fetch(home.resolve())


def _fetch(home: Path) -> Path:
    try:
        install_opencode(home)
    except LaunchError as error:
        if os.environ.get("CI"):
            pytest.fail(f"opencode must be there: {error}")
        pytest.skip(f"opencode cannot be had here: {error}")
    return Opencode().find()


def claude() -> Path:
    """Return Claude Code, which nobody installs but its user."""
    found = os.environ.get("SPACEBOT_CLAUDE") or shutil.which("claude")
    if not found:
        pytest.skip("Claude Code is not installed here")
    return Path(found)
