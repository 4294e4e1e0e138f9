"""Fetching the coding agent opencode: the version and, for Linux on x86_64, the hash that its lock file names.

The lock has no entries for other machines, so npm adds those of the one it runs on.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from spacebot_site.launch.environment_setup import find_npm
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.progress import step

LOCK = ROOT / "agents" / "coding" / "opencode" / "npm"
FETCH_S = 1_200


def install_opencode(home: Path) -> None:
    """Put opencode under the home, where coding workers look first. Doing it again brings it up to date."""
    folder = home / "opencode"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LOCK / name, folder / name)
    command = [find_npm(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    with step("Fetching opencode (about 130 MB)"):
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=FETCH_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise LaunchError("opencode could not be fetched in twenty minutes", "try again later") from None
    if done.returncode or not any((folder / "node_modules").glob("opencode-*/bin/opencode")):
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise LaunchError(
            f"opencode could not be fetched: {lines[0].strip()[:200] if lines else 'there is none for this machine'}",
            "install it yourself (npm install -g opencode-ai), or name it in SPACEBOT_OPENCODE",
        )
