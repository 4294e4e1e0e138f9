"""Walls without any extra binary: the kernel's namespaces, Landlock and seccomp, built by the child itself."""

from __future__ import annotations

import sys

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
from agents.sandbox.errors import CannotStart


class Namespaces:
    name = "namespaces"
    contains = True
    has_ways = True

    def order(self, command: Command) -> Order:
        if sys.platform != "linux" or not seccomp.is_known_machine():
            raise CannotStart("this needs Linux on x86_64 or aarch64")
        check_folder(command.cwd)
        command = with_ways(command)
        return Order(
            file=command.argv[0],
            argv=list(command.argv),
            environment=environment_of(command),
            cwd=str(command.cwd),
            limits=limits_of(command),
            watch=watch_of(command),
            wraps=True,
            seccomp=seccomp.program(),
            namespaces={
                "id": root.INSIDE_ID,
                "links": root.system_links(),
                "shown": [(path, path) for path in root.system_folders()] + root.etc_binds(),
                "switches": root.kernel_switches(),
                "readable": [str(path) for path in command.access.readable],
                "writable": [str(path) for path in command.access.writable],
                "instead": [(str(source), str(place)) for source, place in command.access.instead],
                "scratch_bytes": command.limits.scratch_bytes,
            },
        )
