"""The supervisor: starts the children of the table, watches them, restarts what dies, and says why.

Standard library only, so that it stays small and survives any fault in the code that it runs.
`python -m spacebot_site.launch.supervisor PORT` with `SPACEBOT_HOME` set; SIGTERM ends the set in order.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from spacebot_site.launch import embedded
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.health import probe, pulse_path
from spacebot_site.launch.home import ROOT, find_home
from spacebot_site.launch.os_processes import MARK, Identity, end, identify
from spacebot_site.launch.processes import Place, Process, command_line, table
from spacebot_site.launch.state import Child, State, state_path, write_state

KEPT_LINES = 8
KEPT_LOG_BYTES = 5_000_000
UNWELL_LIMIT = 4


class Supervised:
    """One child and what is known about it."""

    def __init__(self, process: Process, place: Place) -> None:
        self.process = process
        self.place = place
        self.child = Child(name=process.name)
        self.log = place.home / "logs" / f"{process.name}.log"
        self.popen: subprocess.Popen[bytes] | None = None
        self.due_at = 0.0
        self.check_at = 0.0
        self.unwell = 0

    def start(self) -> None:
        pulse_path(self.place.home, self.process.name).unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                command_line(self.process, self.place),
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.process.environment, "SPACEBOT_PROCESS": self.process.name},
                start_new_session=True,
            )  # fmt: skip
        found = identify(self.popen.pid)
        self.child.pid, self.child.started = self.popen.pid, found.started if found else ""
        self.child.state, self.child.since = "starting", time.time()
        self.check_at, self.unwell = 0.0, 0

    def look(self, now: float) -> None:
        """Move the child on: start what is due, note what died, ask the running one how it is."""
        if self.popen is None:
            if now >= self.due_at:
                self.start()
        elif (code := self.popen.poll()) is not None:
            self.bury(f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}", now)
        elif now >= self.check_at:
            self.check(now)

    def check(self, now: float) -> None:
        health = self.process.health
        well = probe(health, self.place, self.process.name)
        age_s = time.time() - self.child.since
        # A young child is asked often, one that takes long ever more seldom: each question may cost it a log line.
        patience_s = min(1.0, max(0.05, age_s / 20)) if self.child.state == "starting" else health.interval_s
        self.check_at = now + (health.interval_s if well else patience_s)
        shorten(self.log)
        if well:
            self.child.state, self.unwell = "healthy", 0
            if age_s > self.process.restart.forgive_s:
                self.child.deaths = 0
        elif self.child.state != "starting":
            self.child.state, self.unwell = "unhealthy", self.unwell + 1
            if self.unwell >= UNWELL_LIMIT:
                self.kill(f"no sign of life at {UNWELL_LIMIT} checks")
        elif age_s > health.start_within_s:
            self.kill(f"not healthy within {health.start_within_s:.0f} s")

    def kill(self, reason: str) -> None:
        """End a child that hangs; its burial follows at the next look."""
        self.child.reason = reason
        if self.popen:
            self.popen.kill()

    def bury(self, how: str, now: float) -> None:
        self.popen = None
        child = self.child
        child.deaths += 1
        child.restarts += 1
        delay_s = self.process.restart.delay_s(child.deaths)
        self.due_at = now + delay_s
        hang = f" ({child.reason})" if child.reason.startswith("no") else ""
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        child.state, child.pid, child.reason = "waiting", None, f"{how}{hang} at {at} UTC"
        child.last_lines = last_lines(self.log)


def shorten(log: Path) -> None:
    """Move a log's content aside when it has grown large; its writers append, so they go on at the beginning."""
    if log.stat().st_size > KEPT_LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def last_lines(log: Path) -> list[str]:
    """Return the end of a log file, short enough to show."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line[:300] for line in text.splitlines() if line.strip()][-KEPT_LINES:]


class Supervisor:
    def __init__(self, place: Place, processes: Sequence[Process]) -> None:
        self.place = place
        me = identify(os.getpid())
        shown = "127.0.0.1" if place.bind in ("0.0.0.0", "::") else place.bind
        address = os.environ.get("SPACEBOT_PUBLIC_URL") or f"http://{shown}:{place.port}"
        self.state = State(os.getpid(), me.started if me else "", place.port, address)
        self.set = [Supervised(process, place) for process in processes]
        self.state.children = {one.process.name: one.child for one in self.set}
        self.servers: dict[str, Identity | None] = {}
        self.servers_due_at = 0.0
        self.ending = False
        self._wake, self._woken = socket.socketpair()

    def run(self) -> None:
        """Keep the set alive until SIGTERM or SIGINT, then end it."""
        self._listen()
        written = ""
        while not self.ending and self._home_is_there():
            now = time.monotonic()
            self._keep_servers(now)
            for one in self.set:
                one.look(now)
            if (text := repr(self.state)) != written:
                write_state(self.place.home, self.state)
                written = text
            self._sleep()
        self.end()

    def _home_is_there(self) -> bool:
        """A home that was deleted takes its processes along; nothing is written where it was."""
        return (self.place.home / "config").is_dir()

    def end(self) -> None:
        """Stop the children, last started first, then the servers of ours."""
        for one in reversed(self.set):
            if one.popen and one.popen.poll() is None:
                one.popen.send_signal(one.process.stop_signal)
        for one in reversed(self.set):
            if one.popen:
                try:
                    one.popen.wait(one.process.stop_within_s)
                except subprocess.TimeoutExpired:
                    one.popen.kill()
                    one.popen.wait()
        embedded.stop(self.place.home)
        # Without a home there are no pid files either: what we saw running last is what is left.
        end([server for server in self.servers.values() if server], timeout_s=15)
        state_path(self.place.home).unlink(missing_ok=True)

    def _keep_servers(self, now: float) -> None:
        """Start an embedded server again that has died; wait a little longer when that fails."""
        if now < self.servers_due_at:
            return
        self.servers_due_at = now + 1.0
        try:
            embedded.revive(self.place.home)
            self.servers = embedded.identities(self.place.home)
        except LaunchError as error:
            print(error, file=sys.stderr, flush=True)
            self.servers_due_at = now + 5.0

    def _listen(self) -> None:
        for side in (self._wake, self._woken):
            side.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._end_soon)
        signal.signal(signal.SIGINT, self._end_soon)

    def _end_soon(self, *_: object) -> None:
        self.ending = True

    def _sleep(self) -> None:
        """Sleep until a signal comes or something is due: shortly while a child starts, a second otherwise."""
        starting = any(one.child.state in ("starting", "waiting") for one in self.set)
        if select.select([self._wake], [], [], 0.05 if starting else 1.0)[0]:
            self._wake.recv(4096)


def main() -> None:
    home = find_home()
    place = Place(
        home, port=int(sys.argv[1]), bind=os.environ.get("SPACEBOT_BIND", "").strip() or "127.0.0.1"
    )
    os.environ[MARK] = str(home)
    Supervisor(place, table()).run()


if __name__ == "__main__":
    main()
