"""MCP servers that others wrote, and one of ours that misbehaves on demand."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
EVERYTHING = "@modelcontextprotocol/server-everything/dist/index.js"
MISBEHAVING = Path(__file__).with_name("misbehaving.py")


def everything() -> Path:
    """Return the reference server from npm, installed once from the lock file where commands may see it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _missing("node and npm")
    home = place()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "node_modules" / EVERYTHING).exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(ROOT / name, home / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            if subprocess.run(command, cwd=home, capture_output=True, timeout=240, check=False).returncode:
                _missing("the servers from npm")
    return home / "node_modules" / EVERYTHING


def place() -> Path:
    """Return the folder for what commands are shown; our own checkout is never shown to them."""
    lock = (ROOT / "package-lock.json").read_bytes()
    home = (
        Path(tempfile.gettempdir()) / f"spacebot-peers-{os.getuid()}-{hashlib.sha256(lock).hexdigest()[:12]}"
    )
    home.mkdir(exist_ok=True, mode=0o700)
    return home.resolve()


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} must be there")
    pytest.skip(f"{what} cannot be had here")


def everything_over_stdio() -> dict[str, Any]:
    return {"transport": "stdio", "command": shutil.which("node"), "args": [str(everything()), "stdio"]}


def time_over_stdio() -> dict[str, Any]:
    """The server from PyPI. It lies in our own environment, which no command is shown: it runs without walls only."""
    return {"transport": "stdio", "command": sys.executable, "args": ["-m", "mcp_server_time"]}


def misbehaving(*words: str) -> dict[str, Any]:
    script = place() / f"misbehaving-{os.getpid()}.py"
    shutil.copy(MISBEHAVING, script)
    return {"transport": "stdio", "command": "/usr/bin/python3", "args": [str(script), *words]}


@contextmanager
def everything_over_http(port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the address of the server from npm over streamable HTTP, and its process."""
    port = port or free_port()
    node = shutil.which("node")
    assert node is not None
    process = subprocess.Popen(
        [node, str(everything()), "streamableHttp"],
        env={"PORT": str(port), "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}/mcp", process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port that nobody holds, below those that the system gives away by itself before it is taken here."""
    while True:
        port = random.randint(20_000, 30_000)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port


def wait_for_port(port: int, *, within_s: float = 60) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")
