"""What a run's commands are handed: walls, workspace, folders, and the name of the walls on the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agents.egress.proxy import open_proxy
from agents.egress.rules import checker_of, record_refusal
from agents.errors import ToolFailed, ToolRetry
from agents.models import SandboxNetwork
from agents.sandbox.command import Access, Command, Limits, Proxy
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.environment import check_variables
from agents.sandbox.errors import BadVariable, NotContained
from agents.services.sandboxes import Walls, sandbox_for_run, walls_of
from agents.tools.base import ToolContext
from agents.tools.workspace import open_folder, split
from secret_store.uses import tool_secrets


def walls_around(context: ToolContext) -> tuple[Walls, Sandbox]:
    """Return what holds now, and note it at the run. Raises ToolFailed where nothing contains and nobody allowed that."""
    run = context.run
    walls = walls_of(run.organization_id, run.agent_id)
    try:
        return walls, sandbox_for_run(run, walls)
    except NotContained as error:
        raise ToolFailed(f"{error}. An owner can install one, or allow commands without walls.") from None


def shell_command(
    context: ToolContext,
    walls: Walls,
    text: str,
    *,
    folder: str,
    environment: Mapping[str, str],
    limits: Limits,
) -> Command:
    """Return the command of a shell line. Raises ToolRetry for a folder or a variable that will not do."""
    try:
        check_variables(environment)
    except BadVariable as error:
        raise ToolRetry(f"{error}.") from None
    context.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Command(
        argv=("/bin/sh", "-c", text),
        cwd=_folder(context.workspace, folder, walls),
        environment={"HOME": str(context.workspace), **environment},
        secrets=tool_secrets(context.run.organization_id, context.run.agent_id, run_id=context.run.pk),
        limits=limits,
        access=Access(writable=(context.workspace, *walls.writable), readable=walls.readable),
    )


@contextmanager
def way_out(context: ToolContext, walls: Walls, sandbox: Sandbox, command: Command) -> Iterator[Command]:
    """Yield the command with the filtering proxy within its reach, where that is allowed; what was refused is recorded."""
    if walls.network != SandboxNetwork.PROXY or sandbox.name == "none":
        yield command
        return
    with tempfile.TemporaryDirectory(prefix="spacebot-way-out-") as folder:
        socket = Path(folder) / "proxy.sock"
        with open_proxy(checker_of(context.run), unix=socket) as proxy:
            try:
                yield replace(command, access=replace(command.access, proxy=Proxy(socket)))
            finally:
                for refused, times in proxy.take_refusals():
                    record_refusal(context.run, refused, times=times)


def _folder(workspace: Path, text: str, walls: Walls) -> Path:
    """Return a working folder inside the workspace or a path that is allowed; no link leads out of either."""
    if not text.startswith("/"):
        parts = split(text)
        with open_folder(workspace, parts):
            return workspace.joinpath(*parts)
    path = Path(text)
    real = path.resolve()
    if real != path or not path.is_dir():
        raise ToolRetry(f"There is no folder {text!r}; links are not followed.")
    if not any(
        path == place or place in path.parents for place in (workspace, *walls.writable, *walls.readable)
    ):
        raise ToolRetry(f"{text!r} is outside your workspace and of what you may use.")
    return path
