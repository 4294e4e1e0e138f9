"""Where ingestion may be killed on purpose; see `accounts.boundaries`."""

from __future__ import annotations

TAKING = ("ingest.kept", "ingest.entered")
WORKING = (
    "ingest.claimed",
    "ingest.read",
    "ingest.split",
    "ingest.asked",
    "ingest.answered",
    "ingest.saved",
    "ingest.marked",
    "ingest.finished",
)
