"""Fetching the coding agent opencode: the version and, for Linux on x86_64, the hash that its lock file names.

The lock has no entries for other machines, so npm adds those of the one it runs on.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from spacebot_site.launch.environment_setup import find_npm
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.fetching import fetch
from spacebot_site.launch.home import ROOT

LOCK = ROOT / "agents" / "coding" / "opencode" / "npm"
OTHERWISE = "install it yourself (npm install -g opencode-ai), or name it in SPACEBOT_OPENCODE"


def install_opencode(home: Path) -> None:
    """Put opencode under the home, where coding workers look first. Doing it again brings it up to date."""
    folder = home / "opencode"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK / name, folder / name)
    command = [find_npm(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    fetch("opencode", "130 MB", command, folder=folder, otherwise=OTHERWISE)
    if not any((folder / "node_modules").glob("opencode-*/bin/opencode")):
        raise LaunchError("opencode has no program for this machine", OTHERWISE)
