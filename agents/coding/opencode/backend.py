"""Where opencode is, and how a session of it begins."""

from __future__ import annotations

import platform
from pathlib import Path

from django.conf import settings

from agents.coding.finding import find_program
from agents.coding.place import Place
from agents.coding.types import OnText, Session

MISSING = "opencode is not installed here; an administrator can run ./spacebot install opencode"


class Opencode:
    name = "opencode"
    title = "opencode"

    def find(self) -> Path:
        return find_program("opencode", setting="SPACEBOT_OPENCODE", fetched=_fetched(), missing=MISSING)

    def start(
        self, place: Place, program: Path, *, session_id: str, instructions: str, on_text: OnText
    ) -> Session:
        from agents.coding.opencode.session import open_session

        return open_session(
            place, program.resolve(), session_id=session_id, instructions=instructions, on_text=on_text
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
