"""How a process shows that it is well: it answers over HTTP, or it touches a file, its pulse."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

from spacebot_site.launch.home import find_home
from spacebot_site.launch.processes import Health, Place

PULSE_INTERVAL_S = 15.0
ANSWER_WITHIN_S = 5.0


def pulse_path(home: Path, name: str) -> Path:
    return home / "run" / f"{name}.pulse"


def start_pulse() -> None:
    """Touch this process's pulse file now and then, for as long as the process lives.

    Does nothing in a process that no supervisor started.
    """
    name = os.environ.get("SPACEBOT_PROCESS", "")
    if not name:
        return
    path = pulse_path(find_home(), name)
    path.touch()
    threading.Thread(target=_beat, args=(path,), name="pulse", daemon=True).start()


def _beat(path: Path) -> None:
    while True:
        time.sleep(PULSE_INTERVAL_S)
        try:
            path.touch()
        except OSError:
            return


def probe(health: Health, place: Place, name: str) -> bool:
    """Tell whether a process is well right now."""
    if health.address:
        return answers(place.port, health.address, bind=place.bind)
    try:
        return time.time() - pulse_path(place.home, name).stat().st_mtime < health.pulse_max_age_s
    except OSError:
        return False


def answers(port: int, address: str, *, bind: str = "127.0.0.1") -> bool:
    """Tell whether HTTP on this port answers with a status below 500."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)
    try:
        with socket.create_connection((target, port), timeout=ANSWER_WITHIN_S) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            request = f"GET {address} HTTP/1.1\r\nHost: {target}:{port}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            status = connection.recv(64).split(b" ", 2)
    except OSError:
        return False
    return len(status) > 1 and status[1].isdigit() and int(status[1]) < 500
