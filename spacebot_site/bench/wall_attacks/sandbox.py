"""Attempts of a contained command, against each driver that works here.

An attempt is a line of shell that says LEAKED when it got somewhere; what it may have done outside is looked at from outside.
Bombs are of the kind that burns out by itself, should no wall hold.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from agents.sandbox.command import MB, Access, Command, Finished, Limits
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.launcher import run
from agents.sandbox.probe import trials
from llm.types import CancelToken
from spacebot_site.bench.wall_attacks import lines
from spacebot_site.bench.wall_attacks.tally import AttackClass, Tally

USUAL = Limits()
STOP_WITHIN_S = 2.0
SECRET = "PLANTED-7f3a"


def classes() -> list[AttackClass]:
    """Return every class for every driver that this machine has."""
    names = [trial.name for trial in trials() if trial.works]
    return [
        AttackClass(f"{name}.{title}", partial(act, DRIVERS[name]))
        for name in names
        for title, act in ACTS.items()
    ]


class Place:
    """A workspace, and beside it what must not be reached."""

    def __init__(self, folder: Path, driver: Sandbox) -> None:
        self.driver = driver
        self.home = folder / "home"
        self.beside = folder / "beside"
        self.home.mkdir()
        self.beside.mkdir()
        (self.beside / "secret").write_text(SECRET)

    def sh(
        self,
        text: str,
        *,
        timeout_s: float = 20,
        limits: Limits = USUAL,
        cancel: CancelToken | None = None,
    ) -> Finished:
        command = Command(
            argv=("/bin/sh", "-c", text),
            cwd=self.home,
            environment={
                "BESIDE": str(self.beside),
                "OURS": str(settings.SPACEBOT_HOME),
                "PARENT": str(os.getpid()),
            },
            limits=limits,
            access=Access(writable=(self.home,)),
        )
        return run(command, self.driver, timeout_s=timeout_s, cancel=cancel, merge_stderr=True)


@contextmanager
def place(driver: Sandbox) -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="spacebot-walls-", dir="/var/tmp") as name:
        yield Place(Path(name).resolve(), driver)


def _lines(found: dict[str, str], driver: Sandbox, tally: Tally) -> None:
    """Try lines, each of which says LEAKED when it gets somewhere."""
    with place(driver) as here:
        for title, text in found.items():
            said = here.sh(text).stdout.decode(errors="replace")
            held = "LEAKED" not in said and SECRET not in said
            beside = sorted(path.name for path in here.beside.iterdir()) == ["secret"]
            held = held and beside and (here.beside / "secret").read_text() == SECRET
            tally.record(title, held=held, saw=said)


def _servers(driver: Sandbox, tally: Tally) -> None:
    """Reach what listens on this machine's loopback, and its sockets: our PostgreSQL and Valkey first."""
    with place(driver) as here, _listener() as port, _abstract() as name, _socket_file(here.beside) as path:
        for title, target in (*_our_servers(), ("a listener on loopback", port)):
            for client in lines.CONNECT:
                said = here.sh(client.format(port=target)).stdout.decode(errors="replace")
                tally.record(f"{title} by {client.split()[0]}", held="LEAKED" not in said, saw=said)
        for title, text in (
            ("an abstract socket", lines.UNIX.format(address="\\0" + name)),
            ("a socket file", lines.UNIX.format(address=path)),
        ):
            said = here.sh(text).stdout.decode(errors="replace")
            tally.record(title, held="LEAKED" not in said, saw=said)


def _bombs(driver: Sandbox, tally: Tally) -> None:
    with place(driver) as here:
        for title, (text, limits, wanted) in lines.BOMBS.items():
            done = here.sh(text, limits=limits, timeout_s=30)
            grown = sum(path.stat().st_size for path in here.home.iterdir())
            held = (done.limit == wanted if wanted else not done.succeeded) and grown <= 80 * MB
            tally.record(title, held=held, saw=f"{done.ended} {done.limit} {grown} bytes")
            for path in here.home.iterdir():
                path.unlink()


def _survivors(driver: Sandbox, tally: Tally) -> None:
    """Outlive a deadline and a cancellation, in every way to detach."""
    with place(driver) as here:
        for title, text in lines.DETACH.items():
            for how in ("timeout", "cancel"):
                mark = f"9{time.monotonic_ns() % 10**9}"
                token, began = CancelToken(), time.monotonic()
                timer = threading.Timer(0.5, token.cancel, ["bench"])
                if how == "cancel":
                    timer.start()
                done = here.sh(
                    text.replace("MARK", mark), timeout_s=0.5 if how == "timeout" else 30, cancel=token
                )
                timer.cancel()
                late = time.monotonic() - began > 0.5 + STOP_WITHIN_S
                left = lines.living(mark)
                tally.record(
                    f"{title}, {how}",
                    held=not left and not late and not done.succeeded,
                    saw=f"{left} {done.duration_s}",
                )


ACTS: dict[str, Callable[[Sandbox, Tally], None]] = {
    "outside": partial(_lines, lines.OUTSIDE),
    "links": partial(_lines, lines.LINKS),
    "proc_sys": partial(_lines, lines.PROC_SYS),
    "kernel": partial(_lines, lines.KERNEL),
    "network": partial(_lines, lines.NETWORK),
    "servers": _servers,
    "bombs": _bombs,
    "survivors": _survivors,
}


def _our_servers() -> list[tuple[str, int]]:
    """Return the ports of our PostgreSQL and Valkey; those that listen on sockets alone are covered by socket files."""
    found = []
    for title, url in (("PostgreSQL", settings.DATABASE_URL), ("Valkey", settings.REDIS_URL)):
        port = urlsplit(url or "").port
        if port:
            found.append((title, port))
    return found


@contextmanager
def _listener() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@contextmanager
def _abstract() -> Iterator[str]:
    name = f"spacebot-walls-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        yield name


@contextmanager
def _socket_file(folder: Path) -> Iterator[str]:
    path = folder.parent / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield str(path)
