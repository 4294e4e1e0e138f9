"""The root that a contained command sees: system programs, a short list of /etc, and nothing that belongs to us."""

from __future__ import annotations

import os
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
ETC = (
    "alternatives", "fonts", "ld.so.cache", "localtime", "magic", "mime.types", "os-release", "pki/ca-trust/extracted",
    "pki/tls/certs", "services", "ssl/certs", "ssl/openssl.cnf",
)  # fmt: skip
OURS = Path(__file__).resolve().parent.parent / "etc"
"""Files of /etc as every command sees them: one user, no hosts but this one, no name servers."""
INSIDE_ID = 1000
SWITCHES = (
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/irq",
    "/proc/bus",
    "/proc/fs",
    "/proc/acpi",
    "/proc/scsi",
    "/proc/mtrr",
    "/proc/pressure",
)


def system_links() -> dict[str, str]:
    """Return the system's folders that are links, with where they lead."""
    return {path: os.readlink(path) for path in SYSTEM if os.path.islink(path)}


def system_folders() -> list[str]:
    return [path for path in SYSTEM if os.path.isdir(path) and not os.path.islink(path)]


def etc_binds() -> list[tuple[str, str]]:
    """Return what of /etc is shown: where it comes from, where it stands."""
    shown = [(f"/etc/{name}", f"/etc/{name}") for name in ETC if os.path.exists(f"/etc/{name}")]
    return shown + [(str(path), f"/etc/{path.name}") for path in sorted(OURS.iterdir())]


def kernel_switches() -> list[str]:
    """Return what must be shown read-only of a fresh /proc: where we are root, so is the command in the kernel's eyes.

    A user namespace takes its capabilities, not its identity, and the files below belong to that. Where we are not, the kernel
    refuses by itself, and each mount that is spared makes a start faster.
    """
    if os.getuid():
        return []
    return [path for path in SWITCHES if os.path.exists(path)]
