"""Where Claude Code is, and how a session of it begins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings

from agents.coding.claude.session import open_session
from agents.coding.errors import NoBackend
from agents.coding.place import Place
from agents.coding.types import Session, Watching


class Claude:
    name = "claude"
    title = "Claude Code"

    def find(self) -> Path:
        """Named, or the system's. Raises NoBackend."""
        if named := settings.SPACEBOT_CLAUDE:
            if os.access(named, os.X_OK):
                return Path(named)
            raise NoBackend(f"SPACEBOT_CLAUDE names {named}, which is no program")
        found = shutil.which("claude")
        if found is None:
            raise NoBackend("Claude Code is not installed here")
        return Path(found)

    def start(
        self, place: Place, program: Path, *, session_id: str, instructions: str, watching: Watching
    ) -> Session:
        return open_session(
            place, program.resolve(), session_id=session_id, instructions=instructions, watching=watching
        )
