"""Files of the workspace: read, write, append, edit, list."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

from pydantic import Field

from agents.errors import ToolFailed, ToolRetry
from agents.tools import file_previews
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.workspace import open_file, open_folder, split

WORKER = frozenset({"worker"})
READ_CAP_BYTES = 200_000
WRITE_CAP_BYTES = 2_000_000
LIST_CAP = 500


def _file_parts(path: str) -> tuple[tuple[str, ...], str]:
    parts = split(path)
    if not parts:
        raise ToolRetry("Name a file, such as notes.txt.")
    return parts[:-1], parts[-1]


class ReadFile(Arguments):
    path: str = Field(max_length=1_000)
    first_line: int = Field(default=1, ge=1)
    lines: int = Field(default=2_000, ge=1, le=10_000)


def read_file(context: ToolContext, arguments: ReadFile) -> ToolOutput:
    folder, name = _file_parts(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        text = _read(handle, name)
    lines = text.splitlines()
    start = arguments.first_line - 1
    shown = lines[start : start + arguments.lines]
    more = len(lines) - start - len(shown)
    note = f"\n[{more} more lines; {len(lines)} in all]" if more > 0 else ""
    return ToolOutput(
        "\n".join(shown) + note if shown else "[no lines there; the file has " + str(len(lines)) + "]"
    )


class WriteFile(Arguments):
    path: str = Field(max_length=1_000)
    content: str


def write_file(context: ToolContext, arguments: WriteFile) -> ToolOutput:
    folder, name = _file_parts(arguments.path)
    size = _check_size(arguments.content)
    with open_folder(context.workspace, folder, create=True) as handle:
        _replace(handle, name, arguments.content)
    return ToolOutput(f"Wrote {size:,} bytes to {arguments.path}.")


class AppendFile(Arguments):
    path: str = Field(max_length=1_000)
    content: str


def append_file(context: ToolContext, arguments: AppendFile) -> ToolOutput:
    folder, name = _file_parts(arguments.path)
    size = _check_size(arguments.content)
    with open_folder(context.workspace, folder, create=True) as handle:
        descriptor = open_file(handle, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with os.fdopen(descriptor, "ab") as file:
            file.write(arguments.content.encode())
    return ToolOutput(f"Appended {size:,} bytes to {arguments.path}.")


class EditFile(Arguments):
    path: str = Field(max_length=1_000)
    old: str = Field(description="The exact text to replace; it must occur once.", min_length=1)
    new: str


def edit_file(context: ToolContext, arguments: EditFile) -> ToolOutput:
    folder, name = _file_parts(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        text = _read(handle, name, whole=True)
        count = text.count(arguments.old)
        if count != 1:
            raise ToolRetry(
                f"The old text occurs {count} times in {arguments.path}; it must occur exactly once."
            )
        changed = text.replace(arguments.old, arguments.new)
        _check_size(changed)
        _replace(handle, name, changed)
    return ToolOutput(f"Edited {arguments.path}.")


class ListFiles(Arguments):
    path: str = Field(default=".", max_length=1_000)


def list_files(context: ToolContext, arguments: ListFiles) -> ToolOutput:
    with open_folder(context.workspace, split(arguments.path)) as handle:
        names = sorted(os.listdir(handle))
        lines = [_describe(handle, name) for name in names[:LIST_CAP]]
    if len(names) > LIST_CAP:
        lines.append(f"[{len(names) - LIST_CAP} more]")
    return ToolOutput("\n".join(lines) or "[empty]")


def _describe(handle: int, name: str) -> str:
    status = os.stat(name, dir_fd=handle, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        return f"{name}/"
    if stat.S_ISLNK(status.st_mode):
        return f"{name} (link, not followed)"
    return f"{name} ({status.st_size:,} bytes)"


def _read(handle: int, name: str, *, whole: bool = False) -> str:
    descriptor = open_file(handle, name, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(WRITE_CAP_BYTES + 1 if whole else READ_CAP_BYTES)
    if whole and len(data) > WRITE_CAP_BYTES:
        raise ToolFailed("the file is too large to edit")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if not whole and error.start > len(data) - 4:
            return data[: error.start].decode()
        raise ToolFailed("the file is not UTF-8 text") from None


def _replace(handle: int, name: str, content: str) -> None:
    """Write beside the file and rename over it, so that readers see the old text or the new."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
            raise ToolRetry(f"{name!r} is a folder.")
    beside = f".{secrets.token_hex(8)}.new"
    descriptor = os.open(
        beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=handle
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        os.rename(beside, name, src_dir_fd=handle, dst_dir_fd=handle)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside, dir_fd=handle)
        raise


def _check_size(content: str) -> int:
    size = len(content.encode())
    if size > WRITE_CAP_BYTES:
        raise ToolRetry(f"That is {size:,} bytes; a file may hold {WRITE_CAP_BYTES:,}.")
    return size


TOOLS = (
    Tool(
        name="read_file",
        description="Read a text file of your workspace, whole or by lines.",
        arguments=ReadFile,
        function=read_file,
        kinds=WORKER,
        transactional=False,
        repeatable=True,
    ),
    Tool(
        name="write_file",
        description="Write a text file in your workspace, replacing it if it exists. Folders are made.",
        arguments=WriteFile,
        function=write_file,
        kinds=WORKER,
        transactional=False,
        repeatable=True,
        preview=file_previews.writing,
    ),
    Tool(
        name="append_file",
        description="Add text at the end of a file in your workspace; it is made if it does not exist.",
        arguments=AppendFile,
        function=append_file,
        kinds=WORKER,
        transactional=False,
        preview=file_previews.appending,
    ),
    Tool(
        name="edit_file",
        description="Replace one exact piece of text in a file of your workspace.",
        arguments=EditFile,
        function=edit_file,
        kinds=WORKER,
        transactional=False,
        preview=file_previews.editing,
    ),
    Tool(
        name="list_files",
        description="List a folder of your workspace.",
        arguments=ListFiles,
        function=list_files,
        kinds=WORKER,
        transactional=False,
        repeatable=True,
    ),
)
