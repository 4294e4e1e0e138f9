"""Where a client sends its requests, and within which time."""

from __future__ import annotations

from dataclasses import dataclass, field

CONNECT_TIMEOUT_S = 10.0
WRITE_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Endpoint:
    """One provider as a client sees it. An empty `base_url` means the vendor's own."""

    kind: str
    api_key: str = field(repr=False)
    base_url: str = ""
    provider_id: int = 0
    timeout_s: float = 300.0


@dataclass(frozen=True)
class Target:
    """One model at an endpoint. `deadline_at` is on the `time.monotonic` clock and ends the whole request."""

    endpoint: Endpoint
    model: str
    max_output_tokens: int = 8_192
    deadline_at: float | None = None
