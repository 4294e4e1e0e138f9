"""The Python environment and the front-end packages, both by lock file, each made once per version of its lock."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.progress import step

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
LOCKS = ("requirements.txt", "requirements-model.txt")
NO_NETWORK = re.compile(
    r"name resolution|name or service not known|nodename nor servname|network is unreachable|connection refused"
    r"|max retries exceeded|newconnectionerror|timed out|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH",
    re.IGNORECASE,
)


def is_inside() -> bool:
    """Tell whether this very process runs on the environment's Python."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def ensure_python(*, development: bool = False) -> None:
    """Make `.venv` and install what the lock files name, unless their stamp says that this was done."""
    names = [*LOCKS, *(["requirements-dev.txt"] if development else [])]
    if not PYTHON.exists():
        with step("Making the Python environment"):
            _make_venv()
    for name in names:
        lock = ROOT / name
        stamp = VENV / f".{lock.stem}.stamp"
        wanted = _digest(lock, sys.version.encode())
        if _read(stamp) == wanted:
            continue
        with step(f"Installing Python packages from {name} (a minute or two)"):
            _pip_install(lock)
        stamp.write_text(wanted)


def ensure_node_packages() -> None:
    """Fetch the front-end packages that the lock file names, unless their stamp says that this was done."""
    lock = ROOT / "package-lock.json"
    stamp = NODE_MODULES / ".spacebot.stamp"
    wanted = _digest(lock)
    if _read(stamp) == wanted:
        return
    with step("Fetching front-end packages"):
        command = [find_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
        install(command, "the front-end packages", "npm config set registry …", environment)
    stamp.write_text(wanted)


def python_is_ready() -> bool:
    return PYTHON.exists() and all(
        _read(VENV / f".{Path(name).stem}.stamp") == _digest(ROOT / name, sys.version.encode())
        for name in LOCKS
    )


def node_packages_are_ready() -> bool:
    return _read(NODE_MODULES / ".spacebot.stamp") == _digest(ROOT / "package-lock.json")


def _make_venv() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True, check=False
    )
    if done.returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        shutil.rmtree(VENV, ignore_errors=True)
        raise LaunchError(
            f"Python cannot make an environment in {VENV} ({_last_line(done.stdout + done.stderr)})",
            f"check that the folder can be written and that venv is there (Debian: apt install python{version}-venv)",
        )


def _pip_install(lock: Path) -> None:
    # A whole lock file with hashes names every package, so pip need not resolve anything.
    command: list[str | Path] = [
        PYTHON, "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--retries", "2",
        "--disable-pip-version-check", "--no-input", "--quiet", "-r", lock,
    ]  # fmt: skip
    install(command, "the Python packages", "PIP_INDEX_URL or PIP_FIND_LINKS")


def find_npm() -> str:
    """Return npm: the machine's, or else the one of a Node that comes as a Python package."""
    found = shutil.which("npm")
    if found:
        return found
    inside = VENV / "bin" / "npm"
    if not inside.exists():
        _pip_install(ROOT / "requirements-node.txt")
    return str(inside)


def install(
    command: Sequence[str | Path], what: str, mirror: str, environment: Mapping[str, str] | None = None
) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode == 0:
        return
    text = done.stdout + done.stderr
    if NO_NETWORK.search(text):
        raise LaunchError(
            f"cannot reach the network for {what}, which the first start fetches",
            f"check the connection (or name a mirror: {mirror}) and run ./spacebot again",
        )
    (ROOT / ".venv" / "install.log").write_text(text)
    raise LaunchError(f"cannot install {what} ({_last_line(text)})", "see .venv/install.log")


def _digest(lock: Path, extra: bytes = b"") -> str:
    return hashlib.sha256(lock.read_bytes() + extra).hexdigest()


def _read(stamp: Path) -> str:
    return stamp.read_text() if stamp.exists() else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no message"])[-1][:300]
