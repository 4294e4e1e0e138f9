"""Drop folders: `SPACEBOT_HOME/ingest/<agent>/`, or `<organization>.<agent>/` where several organizations share a name.

What an operator drops is for everyone in the agent's organization.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

from django.utils import timezone

from accounts.boundaries import reach
from accounts.logs import get_logger
from memory.ingestion import services, store
from memory.ingestion.agents import AgentPlace, agents_named
from memory.ingestion.reader.formats import media_type_of
from memory.models import FileState, IngestedFile

log = get_logger(__name__)

STABLE_S = 2.0
MOST_AT_ONCE = 50
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", "~")


def take_dropped() -> int:
    """Take what has lain unchanged for two seconds; return how many files."""
    try:
        folders = [entry for entry in os.scandir(store.folder()) if _is_folder(entry)]
    except FileNotFoundError:
        return 0
    taken = 0
    for folder in sorted(folders, key=lambda entry: entry.name):
        ready = _list_ready(folder.path)
        place = _place_of(folder.name) if ready else None
        if place is None:
            continue
        for path in ready[: MOST_AT_ONCE - taken]:
            taken += _take(place, path)
    return taken


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)


def _list_ready(folder: str) -> list[Path]:
    """Return plain files without a change of content or times in the last two seconds."""
    ready = []
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.name.endswith(UNFINISHED):
            continue
        status = entry.stat(follow_symlinks=False)
        # The change time moves with size, content and modification time, and nobody can set it back.
        if stat.S_ISREG(status.st_mode) and time.time() - status.st_ctime >= STABLE_S:
            ready.append(Path(entry.path))
    return sorted(ready)


def _place_of(folder: str) -> AgentPlace | None:
    """Return the one agent that a folder is for."""
    organization, _, slug = folder.rpartition(".")
    places = [
        place for place in agents_named(slug) if not organization or place.organization_slug == organization
    ]
    if len(places) != 1:
        log.warning("dropped_files_left", folder=folder, agents_of_that_name=len(places))
        return None
    return places[0]


def _take(place: AgentPlace, path: Path) -> bool:
    """Move one file into the store. Killed anywhere, it lies in the folder still, and is known when taken again."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        log.warning("dropped_file_left", path=str(path), reason=str(error))
        return False
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(file.fileno())
        try:
            stored = store.keep(place.organization_id, file)
        except store.TooLarge:
            _refuse(place, path, before)
            return True
    try:
        after = path.lstat()
    except FileNotFoundError:
        return False  # Another process took it.
    if (after.st_ino, after.st_size, after.st_ctime_ns) != (
        before.st_ino,
        before.st_size,
        before.st_ctime_ns,
    ):
        return False  # It was changed while it was read, and is looked at again.
    services.enter(
        organization_id=place.organization_id,
        agent_id=place.agent_id,
        stored=stored,
        name=services.clean_name(path.name),
    )
    reach("ingest.entered")
    path.unlink(missing_ok=True)
    return True


def _refuse(place: AgentPlace, path: Path, status: os.stat_result) -> None:
    """Show a file that is too large as failed, and put it out of the way."""
    named = f"{path.name} {status.st_size} {status.st_mtime_ns}"
    IngestedFile.objects.get_or_create(
        organization_id=place.organization_id,
        agent_id=place.agent_id,
        digest=hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest(),
        audience_person=None,
        defaults={
            "name": services.clean_name(path.name),
            "size_bytes": status.st_size,
            "media_type": media_type_of(path.name),
            "state": FileState.FAILED,
            "reason": services.TOO_LARGE,
            "finished_at": timezone.now(),
        },
    )
    refused = path.parent / ".refused"
    refused.mkdir(exist_ok=True)
    path.rename(refused / path.name)
