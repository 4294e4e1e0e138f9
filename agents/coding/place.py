"""Where a coding agent runs: the walls of its agent, the workspace of its run, a home of its own, and models by a socket.

Nothing of ours is within its reach but what stands here. Its home holds its session and lives as long as the run does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings

from accounts.database import release_connection
from agents.coding.errors import BackendFailed, NoBackend
from agents.egress.proxy import FilterProxy, open_proxy
from agents.egress.rules import checker_of, record_refusal
from agents.models import LIVE_STATES, Run, SandboxNetwork
from agents.sandbox.child import Child
from agents.sandbox.command import GB, Access, Command, Limits, Proxy, Way
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import BadVariable, CannotStart, NotContained
from agents.sandbox.launcher import spawn
from agents.services.sandboxes import sandbox_for_run, walls_of
from agents.tools.workspace import workspace_of
from llm.services import CallContext
from llm.services.tokens import context_window
from llm.serving.endpoint import Endpoint, open_endpoint
from llm.types import CancelToken
from secret_store.uses import tool_secrets

MODELS_PORT = 3129
CHANGED = "Settings in the workspace changed while the coding agent started. Try again."
LIMITS = Limits(
    cpu_s=None,
    memory_bytes=None,
    total_memory_bytes=4 * GB,
    processes=512,
    output_bytes=1 * GB,
    open_files=4_096,
)
"""Runtimes such as Bun and Node reserve more address space than they use; compilers and tests run below it."""


@dataclass
class Place:
    """An open place. `is_contained`: there are walls with a network of their own, so ports are ours to choose.

    `window` is the tokens that its models can take.
    """

    run: Run
    workspace: Path
    home: Path
    sockets: Path
    endpoint: Endpoint
    window: int
    is_contained: bool
    _access: Access
    _sandbox: Sandbox
    _stack: ExitStack = field(repr=False)
    _unread: frozenset[str] = frozenset()
    _proxy: FilterProxy | None = None

    @property
    def models_url(self) -> str:
        """Where its models are, as the program sees it, without a path."""
        return f"http://127.0.0.1:{MODELS_PORT if self.is_contained else self.endpoint.port}"

    def socket_of(self, port: int) -> Path | None:
        """Return the socket that leads to a port of the program; None where the port is on our own loopback."""
        return self.sockets / f"port-{port}" if self.is_contained else None

    def spawn(
        self,
        argv: tuple[str, ...],
        *,
        program: Path,
        environment: Mapping[str, str],
        secrets: Mapping[str, str],
        ports: tuple[int, ...] = (),
        unread: tuple[str, ...] = (),
        merge_stderr: bool = False,
        line: socket.socket | None = None,
    ) -> Child:
        """Start the program, with the tool secrets of its agent beside `secrets`. Raises BackendFailed.

        What a workspace holds under the names in `unread` is shown as empty. `line` is its stdin and stdout instead of pipes.
        """
        ways = tuple(Way(self.sockets / f"port-{port}", port, inward=True) for port in ports)
        access = replace(
            self._access,
            readable=(*self._access.readable, program.resolve().parent),
            ways=(*self._access.ways, *ways) if self.is_contained else (),
            instead=tuple(self._empty(name) for name in sorted(self._standing(unread))),
        )
        self._unread = self._standing(unread)
        handed = tool_secrets(self.run.organization_id, self.run.agent_id, run_id=self.run.pk)
        release_connection()
        command = Command(
            argv=argv,
            cwd=self.workspace,
            environment={"HOME": str(self.home), "NO_PROXY": "127.0.0.1,localhost", **environment},
            secrets={**handed, **secrets},
            limits=LIMITS,
            access=access,
        )
        try:
            child = spawn(command, self._sandbox, merge_stderr=merge_stderr, line=line)
        except (CannotStart, BadVariable) as error:
            raise BackendFailed(f"The coding agent did not start: {error}.") from None
        self._stack.callback(self.endpoint.cancel.on_cancel(child.kill))
        return child

    def check_unread(self, unread: tuple[str, ...]) -> None:
        """Raise BackendFailed where something that must not be read came into the workspace while the program started."""
        if self._standing(unread) - self._unread:
            raise BackendFailed(CHANGED)

    def _standing(self, names: tuple[str, ...]) -> frozenset[str]:
        return frozenset(name for name in names if os.path.lexists(self.workspace / name))

    def _empty(self, name: str) -> tuple[Path, Path]:
        """Return something empty, and the entry of the workspace that it stands in for."""
        path = self.workspace / name
        if path.is_symlink() or not self.is_contained:
            raise BackendFailed(
                f"The workspace holds {name}, which would change what the coding agent may do. Move it away."
            )
        empty = self.sockets.parent / "empty"
        (empty / "folder").mkdir(parents=True, exist_ok=True)
        (empty / "file").touch()
        return empty / ("folder" if path.is_dir() else "file"), path

    def close(self) -> None:
        if self._proxy is not None:
            for refused, times in self._proxy.take_refusals():
                record_refusal(self.run, refused, times=times)
        self._stack.close()


def open_place(run: Run, context: CallContext, cancel: CancelToken) -> Place:
    """Open what a program of the run needs before it starts. Raises NoBackend where nothing contains it."""
    walls = walls_of(run.organization_id, run.agent_id)
    try:
        sandbox = sandbox_for_run(run, walls)
    except NotContained as error:
        raise NoBackend(f"A coding agent cannot be contained here: {error}.") from None
    is_contained = sandbox.contains
    workspace, home = workspace_of(run), home_of(run)
    for folder in (workspace, home):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="spacebot-coding-", ignore_cleanup_errors=True)
        sockets = Path(stack.enter_context(temporary)).resolve()
        ours, theirs = sockets / "ours", sockets / "theirs"
        for each in (ours, theirs):
            each.mkdir(mode=0o700)
        models = ours / "models" if is_contained else None
        endpoint = Endpoint(context, secrets.token_urlsafe(24), cancel)
        stack.enter_context(open_endpoint(endpoint, unix=models))
        access = Access(writable=(workspace, home, theirs, *walls.writable), readable=walls.readable)
        proxy: FilterProxy | None = None
        if models is not None:
            access = replace(access, ways=(Way(models, MODELS_PORT),))
            if walls.network == SandboxNetwork.PROXY:
                proxy = stack.enter_context(open_proxy(checker_of(run), unix=ours / "proxy"))
                access = replace(access, proxy=Proxy(ours / "proxy"))
        return Place(
            run=run,
            workspace=workspace,
            home=home,
            sockets=theirs,
            endpoint=endpoint,
            window=context_window(context),
            is_contained=is_contained,
            _access=access,
            _sandbox=sandbox,
            _stack=stack.pop_all(),
            _proxy=proxy,
        )


def home_of(run: Run) -> Path:
    return homes() / str(run.pk)


def homes() -> Path:
    return Path(settings.SPACEBOT_HOME).resolve() / "coding"


def prune_homes() -> None:
    """Delete the homes of runs that have ended: a session of theirs cannot be taken up any more."""
    found = {int(path.name): path for path in homes().glob("*") if path.name.isdigit()}
    live = (
        Run.objects.filter(pk__in=found, state__in=LIVE_STATES).values_list("pk", flat=True) if found else ()
    )
    for run_id in found.keys() - set(live):
        shutil.rmtree(found[run_id], ignore_errors=True)
