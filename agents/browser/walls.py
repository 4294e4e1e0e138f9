"""Which walls a browser stands in: the best driver that has ways to the proxy, or Chromium's own sandbox.

The latter does not work for root, and then there is no browser.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agents.browser.errors import NoBrowser
from agents.sandbox import probe
from agents.sandbox.command import GB, MB, Access, Command, Limits, Proxy
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import NotContained

CHROMIUMS_OWN = "chromium"
SETTINGS = (Path("/etc/chromium"), Path("/etc/chromium.d"))
LIMITS = Limits(
    cpu_s=None,
    memory_bytes=None,
    total_memory_bytes=4 * GB,
    processes=128,
    open_files=8_192,
    file_bytes=1 * GB,
    disk_bytes=2 * GB,
    scratch_bytes=1 * GB,
    output_bytes=16 * MB,
)
"""V8 reserves far more address space than it uses, and pages that several processes share count for each of them."""


def sandbox_here() -> Sandbox:
    """Return the driver that starts browsers; one that does not contain leaves that to Chromium. Raises NoBrowser."""
    try:
        found = probe.best()
    except NotContained:
        found = None
    if found is not None and found.has_ways:
        return found
    if os.geteuid() != 0 and sys.platform != "win32":
        return DRIVERS["none"]
    raise NoBrowser(
        "the browser cannot be contained here: no sandbox works, and Chromium's own sandbox does not for root"
    )


def name_of(sandbox: Sandbox) -> str:
    """Return what people are shown."""
    return sandbox.name if sandbox.contains else CHROMIUMS_OWN


def command_of(chromium: Path, arguments: tuple[str, ...], folder: Path, proxy: Path | None) -> Command:
    """Return how a browser starts whose files are all in `folder`; `proxy` is the socket that is its way out."""
    readable = [path for path in SETTINGS if path.is_dir()]
    if not (beside := chromium.resolve().parent).is_relative_to("/usr"):
        readable.append(beside)
    access = Access(
        writable=(folder / "profile", folder / "downloads"),
        readable=tuple(readable),
        proxy=Proxy(proxy) if proxy is not None else None,
    )
    return Command(
        argv=(str(chromium), *arguments),
        cwd=folder / "profile",
        limits=LIMITS,
        access=access if proxy is not None else Access(),
    )
