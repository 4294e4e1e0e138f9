"""A workspace: the one folder that the workers of a conversation share, walked by directory handles.

Paths are resolved component by component below an open handle without following links, so a link, or a
folder that is swapped for one meanwhile, cannot lead out.
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
    if any(len(os.fsencode(part)) > 255 for part in pure.parts):
        raise ToolRetry("A part of that path is too long.")
    return tuple(part for part in pure.parts if part != ".")


@contextmanager
def open_folder(workspace: Path, parts: tuple[str, ...], *, create: bool = False) -> Iterator[int]:
    """Yield a handle of a folder inside the workspace, following no link."""
    workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(workspace, FLAGS)
    try:
        for part in parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=handle)
            try:
                below = os.open(part, FLAGS, dir_fd=handle)
            except FileNotFoundError:
                raise ToolRetry(f"There is no folder {part!r} there.") from None
            except OSError:
                raise ToolFailed(
                    f"{part!r} is not a folder of this workspace; links are not followed"
                ) from None
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def open_file(handle: int, name: str, flags: int) -> int:
    """Open a regular file below a folder's handle, following no link and never blocking on a pipe."""
    try:
        descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600, dir_fd=handle)
    except FileNotFoundError:
        raise ToolRetry(f"There is no file {name!r} there.") from None
    except IsADirectoryError:
        raise ToolRetry(f"{name!r} is a folder.") from None
    except OSError:
        raise ToolFailed(f"{name!r} cannot be opened; links are not followed") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or (status.st_nlink > 1):
        os.close(descriptor)
        raise ToolFailed(f"{name!r} is not a plain file of this workspace")
    return descriptor
