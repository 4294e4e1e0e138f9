"""A workspace: the one folder that the workers of a conversation share, walked by directory handles.

Paths are resolved component by component below an open handle without following links, so a link, or a
folder that is swapped for one meanwhile, cannot lead out. No path is ever given to the system twice: what was
checked is the open handle itself.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from django.conf import settings

from agents.errors import ToolFailed, ToolRetry
from agents.models import Run

FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
DEEPEST = 64
"""How many folders a path may go through; each costs a handle's turn."""


def workspace_of(run: Run) -> Path:
    """Return the folder of a run's task or conversation; it need not exist yet."""
    base = Path(settings.SPACEBOT_HOME) / "workspaces" / str(run.organization_id) / str(run.agent_id)
    if own := run.input.get("workspace"):
        return base / str(own)
    return base / (str(run.conversation_id) if run.conversation_id else f"run-{run.pk}")


def split(path: str) -> tuple[str, ...]:
    """Return the components of a path inside a workspace, or raise ToolRetry where it would leave."""
    if "\0" in path:
        raise ToolRetry("A path cannot hold a NUL character.")
    pure = PurePosixPath(path.strip() or ".")
    if pure.is_absolute():
        raise ToolRetry("Give a path relative to your workspace, such as notes.txt.")
    if ".." in pure.parts:
        raise ToolRetry("A path cannot leave the workspace: '..' is not allowed.")
    if any(len(part.encode()) > 255 for part in pure.parts):
        raise ToolRetry("A part of that path is too long.")
    if len(pure.parts) > DEEPEST:
        raise ToolRetry(f"That path goes through more than {DEEPEST} folders.")
    return tuple(part for part in pure.parts if part != ".")


def split_file(path: str) -> tuple[tuple[str, ...], str]:
    """Return the folders on the way and the name of a file."""
    parts = split(path)
    if not parts:
        raise ToolRetry("Name a file, such as notes.txt.")
    return parts[:-1], parts[-1]


@contextmanager
def open_folder(workspace: Path, parts: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
    """Yield a handle of a folder inside the workspace, following no link."""
    workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(workspace, FLAGS)
    try:
        for part in parts:
            below = _step(handle, part, create=create)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _step(handle: int, part: str, *, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=handle)
    try:
        return os.open(part, FLAGS, dir_fd=handle)
    except FileNotFoundError:
        raise ToolRetry(f"There is no folder {part!r} there.") from None
    except OSError:
        raise ToolFailed(f"{part!r} is not a folder of this workspace; links are not followed") from None


def open_file(handle: int, name: str, flags: int) -> int:
    """Open a regular file below a folder's handle, following no link and never blocking on a pipe.

    It is looked at before, because opening a device can already do something, and again once it is open, because
    another may stand there by then. A file with a second name may be one of somewhere else, so it is refused.
    """
    with suppress(FileNotFoundError):
        _check_plain(os.stat(name, dir_fd=handle, follow_symlinks=False), name)
    try:
        descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600, dir_fd=handle)
    except FileNotFoundError:
        raise ToolRetry(f"There is no file {name!r} there.") from None
    except IsADirectoryError:
        raise ToolRetry(f"{name!r} is a folder.") from None
    except OSError:
        raise ToolFailed(f"{name!r} cannot be opened; links are not followed") from None
    try:
        _check_plain(os.fstat(descriptor), name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_plain(status: os.stat_result, name: str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise ToolRetry(f"{name!r} is a folder.")
    if stat.S_ISLNK(status.st_mode):
        raise ToolFailed(f"{name!r} cannot be opened; links are not followed")
    if not is_plain(status):
        raise ToolFailed(f"{name!r} is not a plain file of this workspace")


def is_plain(status: os.stat_result) -> bool:
    """Say whether it is a regular file with one name."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink <= 1
