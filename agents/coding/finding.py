"""Where the program of a backend is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings

from agents.coding.errors import NoBackend, WrongProgram


def find_program(name: str, *, setting: str, fetched: Path | None = None, missing: str) -> Path:
    """Return the program that a setting names, else the one that was fetched, else the system's. Raises NoBackend."""
    if named := getattr(settings, setting):
        if os.access(named, os.X_OK):
            return Path(named)
        raise WrongProgram(f"{setting} names {named}, which is no program")
    found = fetched or shutil.which(name)
    if found is None:
        raise NoBackend(missing)
    return Path(found)
