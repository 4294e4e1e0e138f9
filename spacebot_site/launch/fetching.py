"""Fetching what is not installed with the rest, because it is large and not everybody wants it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.progress import step

FETCH_S = 1_200


def fetch(
    name: str,
    size: str,
    command: Sequence[str],
    *,
    otherwise: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the command that fetches it. Raises LaunchError with its first words and what else can be done."""
    with step(f"Fetching {name} (about {size})"):
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=FETCH_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LaunchError(f"{name} could not be fetched in twenty minutes", "try again later") from None
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = lines[0].strip()[:200] if lines else "no reason given"
        raise LaunchError(f"{name} could not be fetched: {reason}", otherwise)
