"""The real opencode, from npm."""

from __future__ import annotations

import os
from pathlib import Path


def opencode() -> Path:
    return Path(os.environ["SPACEBOT_OPENCODE"])
