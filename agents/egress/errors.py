"""What the way out refuses, and what can go wrong on it.

EgressError
├── Refused        not allowed; `host`, `port` and `reason` are kept for the record
├── Unreachable    allowed, but nothing answers there, or what answers is not understood
├── TooLarge       more bytes than this fetch may take
├── TimedOut       a deadline passed
└── Stopped        the run was cancelled
"""

from __future__ import annotations


class EgressError(Exception):
    pass


class Refused(EgressError):
    def __init__(self, reason: str, *, host: str = "", port: int = 0) -> None:
        super().__init__(f"{_place(host, port)} is refused: {reason}" if host else f"refused: {reason}")
        self.reason, self.host, self.port = reason, host, port


class Unreachable(EgressError):
    pass


class TooLarge(EgressError):
    pass


class TimedOut(EgressError):
    pass


class Stopped(EgressError):
    pass


def _place(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown
