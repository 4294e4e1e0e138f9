"""The home: the one folder that holds all data, and what lies where in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from spacebot_site.launch.errors import LaunchError

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8000


def find_home(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the home that the environment names, `.spacebot` beside the code otherwise."""
    named = environment.get("SPACEBOT_HOME", "").strip()
    return (Path(named).expanduser() if named else ROOT / ".spacebot").resolve()


def prepare(home: Path) -> None:
    """Make the folders and check that they can be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            home.chmod(0o711)
        for name, mode in (("config", 0o700), ("run", 0o755), ("logs", 0o711)):
            (home / name).mkdir(exist_ok=True, mode=mode)
        probe = home / "run" / f".write-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise LaunchError(
            f"the home {home} cannot be written ({error.strerror})",
            "make it writable or name another folder in SPACEBOT_HOME",
        ) from None


@contextmanager
def locked(home: Path, name: str) -> Iterator[None]:
    """Let one process at a time into the block; another one waits."""
    path = home / "run" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_private(path: Path) -> str:
    """Return the text of a file, empty when there is none."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def write_private(path: Path, text: str) -> None:
    """Replace a file at once, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
