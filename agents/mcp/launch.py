"""Starting the program of a server: nothing of our environment, a folder of its own, stopped with its descendants."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from agents.mcp.spec import Spec

PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True)
class Child:
    process: asyncio.subprocess.Process

    @property
    def stdin(self) -> asyncio.StreamWriter:
        assert self.process.stdin is not None
        return self.process.stdin

    @property
    def stdout(self) -> asyncio.StreamReader:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def stderr(self) -> asyncio.StreamReader:
        assert self.process.stderr is not None
        return self.process.stderr

    async def stop(self, grace_s: float) -> None:
        """Close its input, wait a moment, then kill its whole group."""
        with contextlib.suppress(OSError, RuntimeError):
            self.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.process.wait(), grace_s)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.process.wait(), grace_s)


async def start_child(spec: Spec, env: dict[str, str], *, limit: int) -> Child:
    """Start the program. Raises OSError when there is none."""
    folder = folder_of(spec)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = shutil.which(spec.command, path=PATH)
    if command is None:
        raise FileNotFoundError(f"There is no program {spec.command!r} here.")
    process = await asyncio.create_subprocess_exec(
        command,
        *spec.args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"PATH": PATH, "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", **env},
        start_new_session=True,
        limit=limit,
    )
    return Child(process)


def folder_of(spec: Spec) -> Path:
    """Return the folder that is a server's home and working folder."""
    return Path(settings.SPACEBOT_HOME) / "mcp" / str(spec.organization_id) / str(spec.server_id)
