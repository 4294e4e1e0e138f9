"""What a run's commands are handed: walls, workspace, folders, and the name of the walls on the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agents.errors import ToolFailed, ToolRetry
from agents.models import Run
from agents.sandbox.command import Access, Command, Limits
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.environment import check_variables
from agents.sandbox.errors import BadVariable, NotContained
from agents.services.sandboxes import Walls, sandbox_for, walls_of
from agents.tools.base import ToolContext
from agents.tools.workspace import open_folder, split


def walls_around(context: ToolContext) -> tuple[Walls, Sandbox]:
    """Return what holds now, and note it at the run. Raises ToolFailed where nothing contains and nobody allowed that."""
    run = context.run
    walls = walls_of(run.organization_id, run.agent_id)
    try:
        sandbox = sandbox_for(walls)
    except NotContained as error:
        raise ToolFailed(f"{error}. An owner can install one, or allow commands without walls.") from None
    if run.sandbox != sandbox.name:
        run.sandbox = sandbox.name
        Run.objects.filter(pk=run.pk).update(sandbox=sandbox.name)
    return walls, sandbox


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
        limits=limits,
        access=Access(writable=(context.workspace, *walls.writable), readable=walls.readable),
    )


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
