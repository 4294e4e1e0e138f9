"""Files between a browser and the workspace: pictures and downloads come in, uploads go out; links are never followed."""

from __future__ import annotations

import mimetypes
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from agents.errors import ToolFailed, ToolRetry
from agents.tools.workspace import open_file, open_folder, split

if TYPE_CHECKING:
    from playwright.async_api import FilePayload

FOLDER = "browser"
MOST_BYTES = 50_000_000
MOST_TRIES = 1_000
_ODD = re.compile(r"[^\w.()+ -]+")


def save(workspace: Path, name: str, content: bytes) -> str:
    """Write a new file under the workspace's `browser` folder; return its path, numbered where the name is taken."""
    if len(content) > MOST_BYTES:
        raise ToolFailed(f"the file has {len(content):,} bytes; {MOST_BYTES:,} are kept")
    stem, dot, ending = (_ODD.sub("_", name).strip(". ")[-120:] or "file").rpartition(".")
    if not dot:
        stem, ending = ending, ""
    with open_folder(workspace, (FOLDER,), create=True) as handle:
        for number in range(1, MOST_TRIES):
            tried = f"{stem}{f'-{number}' if number > 1 else ''}{dot}{ending}"
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                descriptor = os.open(tried, flags, 0o600, dir_fd=handle)
            except FileExistsError:
                continue
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            return f"{FOLDER}/{tried}"
    raise ToolFailed("there are too many files of that name")


def payload_of(workspace: Path, path: str) -> FilePayload:
    """Return a file of the workspace as an upload takes it."""
    parts = split(path)
    if not parts:
        raise ToolRetry("Name a file of your workspace.")
    with open_folder(workspace, parts[:-1]) as handle:
        descriptor = open_file(handle, parts[-1], os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ToolRetry(f"The file is larger than {MOST_BYTES:,} bytes.")
    kind = mimetypes.guess_type(parts[-1])[0] or "application/octet-stream"
    return {"name": parts[-1], "mimeType": kind, "buffer": content}


def read_download(path: Path) -> bytes:
    """Read what the browser has stored; it could have put a link there that leads out."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ToolFailed("the download is not a file")
        return file.read(MOST_BYTES + 1)
