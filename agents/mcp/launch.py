"""Starting the program of a server through the one launcher: within walls, in a folder of its own, ended with all of it.

The walls are those of the server's agent, or of the organization: what its commands may read, write and reach, its
programs may. With walls there is no network but the proxy's, where that is allowed.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from agents.egress.checking import Checker, checker_for
from agents.egress.proxy import open_proxy
from agents.egress.rules import policy_of
from agents.mcp.loop import in_database
from agents.mcp.spec import Spec
from agents.models import SandboxNetwork
from agents.sandbox import launcher
from agents.sandbox.child import Child
from agents.sandbox.command import GB, Access, Command, Limits, Proxy
from agents.sandbox.drivers.base import Sandbox
from agents.services.sandboxes import sandbox_for, walls_of

LIMITS = Limits(cpu_s=None, memory_bytes=None, total_memory_bytes=2 * GB, processes=128)
"""A server may serve for days, and runtimes reserve more address space than they use."""
NO_AGENT = 0


@dataclass
class Program:
    """A running program with streams of the loop to it."""

    child: Child
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    transports: tuple[asyncio.BaseTransport, ...]
    way_out: ExitStack

    async def stop(self, grace_s: float) -> None:
        """Close its input, which asks it to end, and end what has not, with its descendants."""
        self.stdin.close()
        await asyncio.to_thread(self.child.wait, grace_s)
        await asyncio.to_thread(self.child.stop, grace_s=grace_s)
        for transport in self.transports:
            transport.close()
        await asyncio.to_thread(self.way_out.close)


async def start_program(spec: Spec, env: dict[str, str], *, limit: int) -> Program:
    """Start it. Raises NotContained, CannotStart and BadVariable."""
    sandbox, access, checker = await in_database(_walls, spec)
    way_out = ExitStack()
    if checker is not None:
        access = replace(access, proxy=await asyncio.to_thread(_open_way, way_out, checker))
    try:
        return await _start(spec, env, sandbox, access, way_out, limit=limit)
    except BaseException:
        await asyncio.to_thread(way_out.close)
        raise


async def _start(
    spec: Spec, env: dict[str, str], sandbox: Sandbox, access: Access, way_out: ExitStack, *, limit: int
) -> Program:
    command = Command(
        argv=(spec.command, *spec.args), cwd=folder_of(spec), secrets=env, limits=LIMITS, access=access
    )
    child = await asyncio.to_thread(launcher.spawn, command, sandbox)
    loop = asyncio.get_running_loop()
    stdout, stderr = asyncio.StreamReader(limit=limit), asyncio.StreamReader()
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), child.stdout)
    hearing, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stderr), child.stderr)
    writing, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, child.stdin)
    stdin = asyncio.StreamWriter(writing, flow, None, loop)
    return Program(child, stdin, stdout, stderr, (reading, hearing, writing), way_out)


def _walls(spec: Spec) -> tuple[Sandbox, Access, Checker | None]:
    """Return walls and reach, and who checks addresses where the proxy is allowed and walls make it the only way."""
    walls = walls_of(spec.organization_id, spec.agent_id or NO_AGENT)
    folder = folder_of(spec)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    sandbox = sandbox_for(walls)
    is_open = walls.network == SandboxNetwork.PROXY and sandbox.name != "none"
    checker = checker_for(policy_of(spec.organization_id, spec.agent_id or NO_AGENT)) if is_open else None
    return sandbox, Access(writable=(folder, *walls.writable), readable=walls.readable), checker


def _open_way(way_out: ExitStack, checker: Checker) -> Proxy:
    folder = way_out.enter_context(tempfile.TemporaryDirectory(prefix="spacebot-way-out-"))
    socket = Path(folder) / "proxy.sock"
    way_out.enter_context(open_proxy(checker, unix=socket))
    return Proxy(socket)


def folder_of(spec: Spec) -> Path:
    """Return the folder that is a server's home and working folder."""
    return Path(settings.SPACEBOT_HOME).resolve() / "mcp" / str(spec.organization_id) / str(spec.server_id)
