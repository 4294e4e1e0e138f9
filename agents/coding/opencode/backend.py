"""Where opencode is, and how a session of it begins."""

from __future__ import annotations

import os
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
        fetched = fetched_folder() / "node_modules" / ".bin" / "opencode"
        found = str(fetched) if fetched.exists() else shutil.which("opencode")
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
