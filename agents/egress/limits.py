"""How much one fetch may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FetchLimits:
    """Bytes count twice: as they arrive, and after they are unpacked."""

    redirects: int = 5
    connect_s: float = 10.0
    read_s: float = 20.0
    total_s: float = 45.0
    body_bytes: int = 8_000_000


USUAL = FetchLimits()
