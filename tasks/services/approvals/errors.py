"""What approvals refuse.

ApprovalError
├── Ambiguous           the action cannot be written in one way only, so nothing can be bound to it
├── ActionChanged       what would run is not what was shown
└── NotRunnable         an approved action must not run after all; `str(error)` says why
"""

from __future__ import annotations


class ApprovalError(Exception):
    """`str(error)` is safe to show to people and models."""


class Ambiguous(ApprovalError):
    pass


class ActionChanged(ApprovalError):
    pass


class NotRunnable(ApprovalError):
    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired
