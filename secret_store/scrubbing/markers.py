"""What stands where a secret was: `[secret NAME]`, or `[secret github]` for one that is known by its shape only."""

from __future__ import annotations

import re

MARKER = re.compile(rb"\[secret ([A-Za-z0-9][A-Za-z0-9_.-]{0,90})\]")
UNREADABLE = "packed-data"
"""What is named where something packed was too large to look into."""


def marker(name: str) -> bytes:
    return f"[secret {name}]".encode()
