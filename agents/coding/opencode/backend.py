"""Where opencode is, and how a session of it begins."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from django.conf import settings

from agents.coding.errors import NoBackend
from agents.coding.opencode.session import open_session
from agents.coding.place import Place
from agents.coding.types import Session, Watching


class Opencode:
    name = "opencode"
    title = "opencode"

    def find(self) -> Path:
        """Named, fetched by `./spacebot install opencode`, or the system's. Raises NoBackend."""
        if named := settings.SPACEBOT_OPENCODE:
            if os.access(named, os.X_OK):
                return Path(named)
            raise NoBackend(f"SPACEBOT_OPENCODE names {named}, which is no program")
        found = _fetched() or shutil.which("opencode")
        if found is None:
            raise NoBackend(
                "opencode is not installed here; an administrator can run ./spacebot install opencode"
            )
        return Path(found)

    def start(
        self, place: Place, program: Path, *, session_id: str, instructions: str, watching: Watching
    ) -> Session:
        return open_session(
            place, program.resolve(), session_id=session_id, instructions=instructions, watching=watching
        )


def fetched_folder() -> Path:
    return Path(settings.SPACEBOT_HOME) / "opencode"


def _fetched() -> Path | None:
    """Return the program of the package for this machine; an older processor needs the one called baseline."""
    found = sorted((fetched_folder() / "node_modules").glob("opencode-*/bin/opencode"), key=_is_baseline)
    if not found:
        return None
    return found[-1] if not _has_avx2() else found[0]


def _is_baseline(program: Path) -> bool:
    return "baseline" in program.parts[-3]


def _has_avx2() -> bool:
    try:
        return " avx2" in Path("/proc/cpuinfo").read_text() or platform.machine() not in ("x86_64", "AMD64")
    except OSError:
        return True
