"""No walls: limits, a built environment and an end with us, and nothing else."""

from __future__ import annotations

from agents.sandbox.command import Command
from agents.sandbox.drivers.base import Order, check_folder, environment_of, find_program, limits_of, watch_of
from agents.sandbox.errors import CannotStart


class Bare:
    """For our own programs, and for tools where an owner has chosen to have no walls."""

    name = "none"
    contains = False
    has_ways = False

    def order(self, command: Command) -> Order:
        check_folder(command.cwd)
        if command.access.proxy is not None or command.access.ways or command.access.instead:
            raise CannotStart("without walls nothing holds a command to the proxy")
        return Order(
            file=find_program(command.argv[0]),
            argv=list(command.argv),
            environment=environment_of(command),
            cwd=str(command.cwd),
            limits=limits_of(command),
            watch=watch_of(command),
        )
