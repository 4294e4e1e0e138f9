"""Start and stop: from whatever a home is in to a healthy set of processes, and to none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from spacebot_site.launch import embedded
from spacebot_site.launch.environment_setup import PYTHON
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import DEFAULT_PORT, ROOT, locked
from spacebot_site.launch.home import prepare as prepare_home
from spacebot_site.launch.os_processes import MARK, end, is_alive, list_marked
from spacebot_site.launch.preparation import Preparation, Prepared
from spacebot_site.launch.processes import count_workers
from spacebot_site.launch.progress import step
from spacebot_site.launch.state import State, find_running, find_state, state_path
from spacebot_site.launch.supervisor import last_lines

HEALTHY_WITHIN_S = 90
DEATHS_TOLERATED = 4
STOP_WITHIN_S = 60


@dataclass(frozen=True)
class Started:
    state: State
    prepared: Prepared
    was_running: bool


def start(home: Path, *, port: int | None = None) -> Started:
    """Bring the home's process set up, adopting or clearing what an earlier one left. Repeating it changes nothing."""
    prepare_home(home)
    with locked(home, "start"):
        running = find_running(home)
        if running:
            return _join(home, running, port)
        clear_leftovers(home)
        port = port or read_port()
        check_port_is_free(port)
        count_workers()
        environment = child_environment(home, port)
        with step("Starting PostgreSQL and Valkey"):
            embedded.revive(home)
        return _bring_up(home, port, environment)


def stop(home: Path) -> bool:
    """End everything of this home and wait until it is gone; tell whether anything ran."""
    running = find_running(home)
    if running:
        end([running.identity], timeout_s=STOP_WITHIN_S)
    left = clear_leftovers(home)
    servers = any(embedded.identities(home).values())
    embedded.stop(home)
    state_path(home).unlink(missing_ok=True)
    return bool(running or left or servers)


def clear_leftovers(home: Path) -> bool:
    """End processes that a supervisor of this home left behind when it was killed."""
    known = find_state(home)
    recorded = [child.identity for child in known.children.values() if child.identity] if known else []
    left = {identity for identity in [*list_marked(home), *recorded] if is_alive(identity)}
    end(left, timeout_s=10)
    return bool(left)


def read_port() -> int:
    """Return the port that the environment names. Raises LaunchError for what is none."""
    raw = os.environ.get("SPACEBOT_PORT", "").strip() or str(DEFAULT_PORT)
    if not raw.isdigit() or not 1 <= int(raw) <= 65535:
        raise LaunchError(f"SPACEBOT_PORT is {raw!r}", "give a number between 1 and 65535")
    return int(raw)


def check_port_is_free(port: int) -> None:
    """Raise LaunchError when somebody else listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ.get("SPACEBOT_BIND", "").strip() or "127.0.0.1", port))
        except OSError as error:
            raise LaunchError(
                f"port {port} cannot be used ({error.strerror})",
                f"choose another: ./spacebot start --port {port + 1}",
            ) from None


def child_environment(home: Path, port: int) -> dict[str, str]:
    """Return what every process of ours gets on top of our own environment."""
    return {
        "MALLOC_ARENA_MAX": "2",
        "SPACEBOT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        **os.environ,
        "SPACEBOT_HOME": str(home),
        "SPACEBOT_PORT": str(port),
        "DJANGO_SETTINGS_MODULE": "spacebot_site.settings",
        "PYTHONUNBUFFERED": "1",
    }


def _join(home: Path, running: State, port: int | None) -> Started:
    """Go on with a supervisor that runs already."""
    if port and port != running.port:
        raise LaunchError(
            f"Spacebot runs already on port {running.port}", f"./spacebot restart --port {port} moves it"
        )
    preparation = Preparation(home, child_environment(home, running.port))
    preparation.begin()
    prepared = preparation.wait()
    return Started(wait_until_healthy(home, running.pid), prepared, was_running=True)


def _bring_up(home: Path, port: int, environment: dict[str, str]) -> Started:
    preparation = Preparation(home, environment)
    preparation.begin()
    if preparation.is_repeat:
        pid = _spawn_supervisor(home, port, environment)
        with step("Starting Spacebot"):
            prepared = preparation.wait()
    else:
        with step("Preparing the database and the pages"):
            prepared = preparation.wait()
        pid = _spawn_supervisor(home, port, environment)
    with step("Waiting until everything is healthy"):
        return Started(wait_until_healthy(home, pid), prepared, was_running=False)


def _spawn_supervisor(home: Path, port: int, environment: dict[str, str]) -> int:
    state_path(home).unlink(missing_ok=True)
    with (home / "logs" / "supervisor.log").open("ab") as log:
        popen = subprocess.Popen(
            [str(PYTHON), "-m", "spacebot_site.launch.supervisor", str(port)], cwd=ROOT,
            env={**environment, MARK: str(home)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    return popen.pid


def wait_until_healthy(home: Path, pid: int) -> State:
    """Return the state once every child is healthy. Raises LaunchError with the reason of one that is not."""
    deadline = time.monotonic() + HEALTHY_WITHIN_S
    while time.monotonic() < deadline:
        state = find_running(home)
        if state and state.pid == pid and state.is_healthy:
            return state
        if state is None and not _runs(pid):
            lines = last_lines(home / "logs" / "supervisor.log")
            raise LaunchError(
                f"the supervisor ended ({lines[-1] if lines else 'no message'})", f"see {home / 'logs'}"
            )
        if state and any(child.deaths >= DEATHS_TOLERATED for child in state.children.values()):
            break
        time.sleep(0.03)
    raise LaunchError(_what_is_unwell(home), f"see {home / 'logs'}; ./spacebot status tells how it goes on")


def _runs(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True


def _what_is_unwell(home: Path) -> str:
    state = find_state(home)
    unwell = [child for child in state.children.values() if child.state != "healthy"] if state else []
    told = "; ".join(
        f"{child.name} is {child.state}"
        + (f" ({child.reason}: {(child.last_lines or [''])[-1]})" if child.reason else "")
        for child in unwell
    )
    return told or f"not healthy within {HEALTHY_WITHIN_S} s"


def stop_when_told(home: Path) -> None:
    """From now on let the signals that end this process stop everything instead."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop(home))


def follow(home: Path, state: State) -> int:
    """Stay with the supervisor and show its children's logs until it has ended."""
    ends = {path: path.stat().st_size for path in (home / "logs").glob("*.log")}
    while is_alive(state.identity):
        for path in sorted((home / "logs").glob("*.log")):
            ends[path] = _show_new_lines(path, ends.get(path, 0))
        time.sleep(0.5)
    return 0


def _show_new_lines(path: Path, seen: int) -> int:
    size = path.stat().st_size
    if size > seen:
        with path.open("rb") as file:
            file.seek(seen)
            for line in file.read(size - seen).decode("utf-8", "replace").splitlines():
                print(f"{path.stem}: {line}", flush=True)
    return size
