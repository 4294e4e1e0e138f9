"""Writing, appending to and editing a text file."""

from __future__ import annotations

import os

from pydantic import Field

from agents.errors import ToolFailed, ToolRetry
from agents.tools import file_previews
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.files.quota import check_room
from agents.tools.files.storing import replace
from agents.tools.workspace import open_file, open_folder, split_file

WORKER = frozenset({"worker"})
MOST_BYTES = 2_000_000


class WriteFile(Arguments):
    path: str = Field(max_length=1_000)
    content: str


def write_file(context: ToolContext, arguments: WriteFile) -> ToolOutput:
    folder, name = split_file(arguments.path)
    data = _data(arguments.content)
    check_room(context.workspace, len(data))
    with open_folder(context.workspace, folder, create=True) as handle:
        replace(handle, name, (data,))
    return ToolOutput(f"Wrote {len(data):,} bytes to {arguments.path}.")


class AppendFile(Arguments):
    path: str = Field(max_length=1_000)
    content: str


def append_file(context: ToolContext, arguments: AppendFile) -> ToolOutput:
    folder, name = split_file(arguments.path)
    data = _data(arguments.content)
    check_room(context.workspace, len(data))
    with open_folder(context.workspace, folder, create=True) as handle:
        descriptor = open_file(handle, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    return ToolOutput(f"Appended {len(data):,} bytes to {arguments.path}.")


class EditFile(Arguments):
    path: str = Field(max_length=1_000)
    old: str = Field(
        description="The exact text to replace, with its spaces and line ends; it must occur once.",
        min_length=1,
    )
    new: str
    replace_all: bool = Field(default=False, description="Replace it wherever it occurs.")


def edit_file(context: ToolContext, arguments: EditFile) -> ToolOutput:
    folder, name = split_file(arguments.path)
    with open_folder(context.workspace, folder) as handle:
        before = _whole(handle, name)
        old, new = _as_in(before, arguments)
        count = before.count(old)
        if not count:
            raise ToolRetry(
                f"The old text does not occur in {arguments.path}. Read it and take the exact text."
            )
        if count > 1 and not arguments.replace_all:
            raise ToolRetry(
                f"The old text occurs {count} times in {arguments.path}; give more of what stands around it,"
                " or set replace_all."
            )
        after = before.replace(old, new)
        _check_size(len(after))
        check_room(context.workspace, len(after) - len(before))
        replace(handle, name, (after,))
    places = "1 place" if count == 1 else f"{count} places"
    return ToolOutput(f"Edited {arguments.path} in {places}.")


def _as_in(before: bytes, arguments: EditFile) -> tuple[bytes, bytes]:
    """Return old and new as bytes, with the line ends of the file where only these differ."""
    old, new = arguments.old.encode(), arguments.new.encode()
    if old in before or b"\r\n" not in before or b"\r" in old:
        return old, new
    return old.replace(b"\n", b"\r\n"), new.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _whole(handle: int, name: str) -> bytes:
    """Return all of a text file. It is changed as bytes, so that what is not UTF-8 in it stays as it is."""
    descriptor = open_file(handle, name, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ToolFailed(f"the file is too large to edit: at most {MOST_BYTES:,} bytes")
    if b"\0" in data:
        raise ToolFailed("the file is binary, not text")
    return data


def _data(content: str) -> bytes:
    data = content.encode()
    _check_size(len(data))
    return data


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise ToolRetry(f"That is {size:,} bytes; a file may be written with {MOST_BYTES:,}.")


TOOLS = (
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
        description="Replace one exact piece of text in a file of your workspace, or every place it occurs.",
        arguments=EditFile,
        function=edit_file,
        kinds=WORKER,
        transactional=False,
        preview=file_previews.editing,
    ),
)
