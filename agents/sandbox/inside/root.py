"""Building the root that a command sees, in a mount namespace of its own."""

from __future__ import annotations

import os

from agents.sandbox.inside import syscalls as sys_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
STAGE = "/tmp"  # noqa: S108 -- covered by a mount of our own before anything is put there
LINKS = (
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
)


def build_root(plan: dict[str, Any]) -> None:
    """Make `plan` the whole file system of this process, and of what it starts."""
    sys_.mount("none", "/", "", REC | PRIVATE)
    # Held before anything is covered: workspaces may lie below the stage itself.
    held = {source: os.open(source, os.O_PATH | os.O_CLOEXEC) for source in _sources(plan)}
    sys_.mount("tmpfs", STAGE, "tmpfs", NOSUID | NODEV, "mode=0755,size=4m")
    for path, target in plan["links"].items():
        os.symlink(target, STAGE + path)
    for source, place in plan["shown"]:
        _bind(held[source], source, place, writable=False)
    os.mkdir(f"{STAGE}/proc")
    sys_.mount("proc", f"{STAGE}/proc", "proc", NOSUID | NODEV | NOEXEC)
    for path in plan["switches"]:
        sys_.mount(STAGE + path, STAGE + path, "", BIND | REC)
        sys_.make_read_only(STAGE + path)
    _devices(held, plan["scratch_bytes"])
    scratch = STAGE + "/tmp"  # noqa: S108
    os.mkdir(scratch)
    sys_.mount("tmpfs", scratch, "tmpfs", NOSUID | NODEV, f"mode=1777,size={plan['scratch_bytes']}")
    for path in plan["readable"]:
        _bind(held[path], path, path, writable=False)
    for path in plan["writable"]:
        _bind(held[path], path, path, writable=True)
    for source, place in plan["instead"]:
        _bind(held[source], source, place, writable=False)
    for descriptor in held.values():
        os.close(descriptor)
    os.chdir(STAGE)
    sys_.pivot_root(".", ".")
    sys_.umount(".")
    os.chdir("/")
    sys_.mount("none", "/", "", REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def _sources(plan: dict[str, Any]) -> set[str]:
    devices = {f"/dev/{name}" for name in DEVICES}
    pairs = [*plan["shown"], *plan["instead"]]
    return {source for source, _ in pairs} | {*plan["readable"], *plan["writable"]} | devices


def _bind(descriptor: int, source: str, place: str, *, writable: bool) -> None:
    target = STAGE + place
    if os.path.isdir(f"/proc/self/fd/{descriptor}"):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    sys_.mount(f"/proc/self/fd/{descriptor}", target, "", BIND | REC)
    sys_.harden(target, read_only=not writable)


def _devices(held: dict[str, int], scratch_bytes: int) -> None:
    folder = f"{STAGE}/dev"
    os.mkdir(folder)
    sys_.mount("tmpfs", folder, "tmpfs", NOSUID | NOEXEC, "mode=0755,size=64k")
    for name in DEVICES:
        os.close(os.open(f"{folder}/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
        sys_.mount(f"/proc/self/fd/{held[f'/dev/{name}']}", f"{folder}/{name}", "", BIND)
    for target, name in LINKS:
        os.symlink(target, f"{folder}/{name}")
    os.mkdir(f"{folder}/shm")
    sys_.mount("none", folder, "", REMOUNT | BIND | RDONLY | NOSUID | NOEXEC)
    sys_.mount("tmpfs", f"{folder}/shm", "tmpfs", NOSUID | NODEV, f"mode=1777,size={scratch_bytes}")
