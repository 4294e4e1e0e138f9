"""Walls by bubblewrap: namespaces of every kind, a minimal root, a list of forbidden system calls."""

from __future__ import annotations

import shutil

from agents.sandbox import seccomp
from agents.sandbox.command import Command
from agents.sandbox.drivers import root
from agents.sandbox.drivers.base import (
    Order,
    check_folder,
    environment_of,
    limits_of,
    watch_of,
    with_ways,
)
from agents.sandbox.environment import PATH
from agents.sandbox.errors import CannotStart

SECCOMP_FD = 63
ALWAYS = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--hostname", "sandbox", "--cap-drop", "ALL",
    "--uid", str(root.INSIDE_ID), "--gid", str(root.INSIDE_ID), "--seccomp", str(SECCOMP_FD),
)  # fmt: skip


class Bubblewrap:
    name = "bubblewrap"
    contains = True
    has_ways = True

    def order(self, command: Command) -> Order:
        program = shutil.which("bwrap", path=PATH)
        if program is None:
            raise CannotStart("bubblewrap is not installed")
        check_folder(command.cwd)
        command = with_ways(command)
        return Order(
            file=program,
            argv=["bwrap", *_arguments(command), "--", *command.argv],
            environment=environment_of(command),
            cwd="/",
            limits=limits_of(command),
            watch=watch_of(command),
            wraps=True,
            seccomp=seccomp.program(),
            seccomp_fd=SECCOMP_FD,
        )


def _arguments(command: Command) -> list[str]:
    arguments = list(ALWAYS)
    for path in root.system_folders():
        arguments += ["--ro-bind", path, path]
    for path, target in root.system_links().items():
        arguments += ["--symlink", target, path]
    for source, place in root.etc_binds():
        arguments += ["--ro-bind", source, place]
    scratch = ("--size", str(command.limits.scratch_bytes), "--perms", "1777", "--tmpfs")
    arguments += ["--proc", "/proc", "--dev", "/dev", *scratch, "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    arguments += [*scratch, "/tmp"]  # noqa: S108
    for path in root.kernel_switches():
        arguments += ["--ro-bind", path, path]
    for folder in command.access.readable:
        arguments += ["--ro-bind", str(folder), str(folder)]
    for folder in command.access.writable:
        arguments += ["--bind", str(folder), str(folder)]
    for other, covered in command.access.instead:
        arguments += ["--ro-bind", str(other), str(covered)]
    return [*arguments, "--remount-ro", "/", "--chdir", str(command.cwd)]
