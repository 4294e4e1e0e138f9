"""Which walls stand around an agent's commands: read at every command, set by owners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.actor import Actor
from accounts.errors import InvalidInput
from accounts.models import Role
from accounts.services import audit
from agents import queries
from agents.models import Run, SandboxMode, SandboxNetwork, SandboxSetting
from agents.sandbox import probe
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import NotContained
from realtime.services import NewEvent, record, unit_of_work

MOST_PATHS = 20
SYSTEM_PATHS = tuple(
    Path(name)
    for name in ("/proc", "/sys", "/dev", "/run", "/boot", "/etc", "/root", "/var/run", "/var/lib", "/usr", "/bin", "/lib")
)  # fmt: skip
ALSO_WHOLE = (Path("/home"), Path("/var"), Path("/tmp"), Path("/opt"), Path("/srv"), Path("/mnt"))  # noqa: S108
"""May hold a folder that is shown, but are not shown whole."""


@dataclass(frozen=True)
class Walls:
    """What holds for an agent's commands now. Paths are those that exist and are still what they were."""

    mode: str = SandboxMode.AUTO
    network: str = SandboxNetwork.NONE
    writable: tuple[Path, ...] = ()
    readable: tuple[Path, ...] = ()


def walls_of(organization_id: int, agent_id: int | None) -> Walls:
    """Return what holds for the agent: its own setting before the organization's, the paths of both."""
    rows = sorted(
        SandboxSetting.objects.filter(
            Q(agent_id=None) | Q(agent_id=agent_id), organization_id=organization_id
        ),
        key=lambda row: row.agent_id is None,
    )
    return Walls(
        mode=next((row.mode for row in rows if row.mode), SandboxMode.AUTO),
        network=next((row.network for row in rows if row.network), SandboxNetwork.NONE),
        writable=_present(path for row in rows for path in row.writable_paths),
        readable=_present(path for row in rows for path in row.readable_paths),
    )


def sandbox_for(walls: Walls) -> Sandbox:
    """Return the driver to use. Raises NotContained where none works and no owner has chosen to go without."""
    return DRIVERS["none"] if walls.mode == SandboxMode.NONE else probe.best()


def sandbox_for_run(run: Run, walls: Walls) -> Sandbox:
    """Return the driver to use, and note its name at the run. Raises NotContained."""
    sandbox = sandbox_for(walls)
    if run.sandbox != sandbox.name:
        run.sandbox = sandbox.name
        Run.objects.filter(pk=run.pk).update(sandbox=sandbox.name)
    return sandbox


@dataclass(frozen=True)
class WallsView:
    """What is set, for the organization or one agent, and what came of each driver on this machine."""

    agent_id: int | None
    mode: str
    network: str
    writable_paths: list[str]
    readable_paths: list[str]
    effective_mode: str
    effective_network: str
    sandbox: str
    trials: list[probe.Trial]


def get_walls(actor: Actor, *, agent_id: int | None = None) -> WallsView:
    """Return what is set and what holds. `sandbox` is empty where commands are refused. May try the drivers: a second or so."""
    actor.check_scope("agents:read")
    if agent_id is not None:
        queries.get_agent(actor, agent_id)
    whose = Q(agent=None) if agent_id is None else Q(agent_id=agent_id)
    row = SandboxSetting.objects.filter(whose, organization=actor.organization).first() or SandboxSetting()
    walls = walls_of(actor.organization.pk, agent_id)
    try:
        sandbox = sandbox_for(walls).name
    except NotContained:
        sandbox = ""
    return WallsView(
        agent_id=agent_id,
        mode=row.mode,
        network=row.network,
        writable_paths=row.writable_paths,
        readable_paths=row.readable_paths,
        effective_mode=walls.mode,
        effective_network=walls.network,
        sandbox=sandbox,
        trials=list(probe.trials()),
    )


def set_walls(
    actor: Actor,
    *,
    agent_id: int | None = None,
    mode: str,
    network: str,
    writable_paths: list[str],
    readable_paths: list[str],
) -> SandboxSetting:
    """Set the walls of the organization or of one agent. Owners may, and it is audited; it holds from the next command on."""
    actor.check_scope("agents:write")
    actor.check_level(Role.OWNER)
    agent = queries.get_agent(actor, agent_id) if agent_id is not None else None
    if mode not in ("", *SandboxMode.values):
        raise InvalidInput("Choose auto or none, or leave it empty to inherit.", field="mode")
    if network not in ("", *SandboxNetwork.values):
        raise InvalidInput("Choose none or proxy, or leave it empty to inherit.", field="network")
    values: dict[str, Any] = {
        "mode": mode,
        "network": network,
        "writable_paths": _checked("writable_paths", writable_paths),
        "readable_paths": _checked("readable_paths", readable_paths),
    }
    with unit_of_work():
        rows = SandboxSetting.objects.filter(organization=actor.organization, agent=agent)
        before = rows.values(*values).first()
        if before == values:
            return rows.get()
        row, _ = SandboxSetting.objects.update_or_create(
            organization=actor.organization, agent=agent, defaults={**values, "updated_by": actor.user}
        )
        audit.record(
            actor, actor.organization, "sandbox.set", target=f"agent:{agent_id}" if agent else "organization",
            before=before, after=values,
        )  # fmt: skip
        record(actor.organization.pk, NewEvent("sandbox.changed", {"agent_id": agent_id, "mode": mode}))
    return row


def check_path(text: str) -> Path:
    """Return a path that commands may be shown. Raises ValueError with the reason."""
    path = Path(text)
    if not path.is_absolute() or "\0" in text or ".." in path.parts or len(text) > 500:
        raise ValueError("give an absolute path")
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        raise ValueError("it does not exist") from None
    if real != path:
        raise ValueError(f"it is a link: give {real}")
    ours = (Path(settings.SPACEBOT_HOME).resolve(), Path(settings.BASE_DIR).resolve())
    for place in (*SYSTEM_PATHS, *ours):
        if path == place or path in place.parents or place in path.parents:
            raise ValueError(f"{place} is not shown to commands")
    if path in ALSO_WHOLE:
        raise ValueError("give a folder inside it")
    if not (path.is_dir() or path.is_file()):
        raise ValueError("it is neither a folder nor a file")
    return path


def _checked(field: str, paths: list[str]) -> list[str]:
    if len(paths) > MOST_PATHS:
        raise InvalidInput(f"{MOST_PATHS} paths at most.", field=field)
    found: list[str] = []
    for text in paths:
        try:
            found.append(str(check_path(text)))
        except ValueError as error:
            raise InvalidInput(f"{text[:200]}: {error}.", field=field) from None
    return sorted(set(found))


def _present(paths: Any) -> tuple[Path, ...]:
    """Leave out what has gone or has become a link since it was allowed."""
    found = []
    for text in dict.fromkeys(paths):
        try:
            found.append(check_path(text))
        except ValueError:
            continue
    return tuple(found)
