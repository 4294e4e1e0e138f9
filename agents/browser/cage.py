"""Walls around a browser: bubblewrap with a root of its own, no network, and one socket that leads to the proxy.

Where bubblewrap does not work, Chromium's own sandbox has to; it cannot for root, and then there is no browser.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agents.browser import relay
from agents.browser.errors import NoBrowser
from agents.sandbox.drivers.root import kernel_switches

INSIDE_PORT = 3128
TRIAL_S = 10
ISOLATED = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv", "--hostname", "browser",
    "--uid", "1000", "--gid", "1000",
)  # fmt: skip
ETC = (
    "alternatives", "chromium", "chromium.d", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
    "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip


@dataclass(frozen=True)
class Start:
    """How Playwright starts the browser. `walls` is shown to people; `contained` browsers reach the proxy by its socket."""

    program: Path
    walls: str
    contained: bool

    @property
    def arguments(self) -> list[str]:
        return ["--no-sandbox"] if self.contained else []


def walls_here() -> str:
    """Return which walls a browser would stand in. Raises NoBrowser where there are none."""
    if _bubblewrap_works():
        return "bubblewrap"
    if os.geteuid() != 0 and sys.platform != "win32":
        return "chromium"
    raise NoBrowser(
        "the browser cannot be contained here: bubblewrap does not work, and Chromium's own sandbox does not for root"
    )


def start_of(chromium: Path, folder: Path) -> Start:
    """Return how to start a browser whose files are all in `folder`, which also holds the proxy's socket."""
    walls = walls_here()
    if walls == "chromium":
        return Start(chromium, walls, contained=False)
    program = folder / "browser"
    command = shlex.join(["bwrap", *_arguments(chromium, folder), "--", *_inside(chromium, folder)])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o700)
    return Start(program, walls, contained=True)


def socket_in(folder: Path) -> Path:
    return folder / "way-out" / "proxy"


def _inside(chromium: Path, folder: Path) -> list[str]:
    return [
        os.path.realpath(sys.executable),
        "-I",
        "-S",
        relay.__file__,
        str(socket_in(folder)),
        str(INSIDE_PORT),
        str(chromium),
    ]


def _arguments(chromium: Path, folder: Path) -> list[str]:
    arguments = list(ISOLATED)
    arguments += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    for name in ETC:
        arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    arguments += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108
    for switch in kernel_switches():
        arguments += ["--ro-bind", switch, switch]
    for path in {Path(sys.base_prefix), Path(relay.__file__), *_beside(chromium)}:
        if not path.is_relative_to("/usr"):
            arguments += ["--ro-bind", str(path), str(path)]
    for name in ("profile", "downloads", "way-out"):
        arguments += ["--bind", str(folder / name), str(folder / name)]
    home = str(folder / "profile")
    variables = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108
    for name, value in variables.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--remount-ro", "/", "--chdir", home]


def _beside(chromium: Path) -> list[Path]:
    return [chromium.resolve().parent]


@cache
def _bubblewrap_works() -> bool:
    if shutil.which("bwrap") is None:
        return False
    trial = ["bwrap", *ISOLATED, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true"]
    try:
        return subprocess.run(trial, timeout=TRIAL_S, capture_output=True, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
