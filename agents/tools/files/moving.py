"""Moving and deleting inside the workspace."""

from __future__ import annotations

import os
import shutil
import stat

from pydantic import Field

from agents.errors import ToolFailed, ToolRetry
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files import quota
from agents.tools.workspace import open_folder, split_file

WORKER = frozenset({"worker"})


class MoveFile(Arguments):
    source: str = Field(max_length=1_000)
    target: str = Field(description="The new path; nothing may be there yet.", max_length=1_000)


def move_file(context: ToolContext, arguments: MoveFile) -> ToolOutput:
    from_folder, from_name = split_file(arguments.source)
    to_folder, to_name = split_file(arguments.target)
    with open_folder(context.workspace, from_folder) as here:
        _look(here, from_name)
        with open_folder(context.workspace, to_folder, create=True) as there:
            if _stands(there, to_name):
                raise ToolRetry(f"There is something at {arguments.target} already.")
            try:
                os.rename(from_name, to_name, src_dir_fd=here, dst_dir_fd=there)
            except OSError as error:
                raise ToolRetry(f"It cannot be moved there: {error.strerror}.") from None
    return ToolOutput(f"Moved {arguments.source} to {arguments.target}.")


class DeleteFile(Arguments):
    path: str = Field(max_length=1_000)
    recursive: bool = Field(default=False, description="Delete a folder with all that is in it.")


def delete_file(context: ToolContext, arguments: DeleteFile) -> ToolOutput:
    folder, name = split_file(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        status = _look(handle, name)
        try:
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(name, dir_fd=handle)
            elif arguments.recursive:
                shutil.rmtree(name, dir_fd=handle)
            else:
                os.rmdir(name, dir_fd=handle)
        except RecursionError:
            raise ToolFailed("its folders are nested too deeply") from None
        except OSError as error:
            raise ToolRetry(
                f"It was not deleted: {error.strerror}. A folder that is not empty needs recursive."
            ) from None
    quota.forget(context.workspace)
    return ToolOutput(f"Deleted {arguments.path}.")


def _look(handle: int, name: str) -> os.stat_result:
    try:
        return os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        raise ToolRetry(f"There is no {name!r} there.") from None


def _stands(handle: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=handle, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


TOOLS = (
    Tool(
        name="move_file",
        description="Move or rename a file or folder of your workspace. Folders on the way are made.",
        arguments=MoveFile,
        function=move_file,
        kinds=WORKER,
        transactional=False,
    ),
    Tool(
        name="delete_file",
        description="Delete a file or an empty folder of your workspace; with recursive, a folder and all in it.",
        arguments=DeleteFile,
        function=delete_file,
        kinds=WORKER,
        transactional=False,
    ),
)
