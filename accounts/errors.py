"""What accounts refuses.

AccountsError
├── NotFound            also for rows of another organization: an identifier tells nothing
│   └── LinkUnusable(reason)   a sign-in link that is unknown, used or expired
├── Forbidden           the role or the token's scope does not reach
├── InvalidInput(field) a value that cannot be accepted
└── Conflict            the row changed or exists already
"""

from __future__ import annotations

from typing import Literal


class AccountsError(Exception):
    """`str(error)` is safe to show to people."""


class NotFound(AccountsError):
    pass


class LinkUnusable(NotFound):
    def __init__(self, message: str, *, reason: Literal["unknown", "used", "expired"]) -> None:
        super().__init__(message)
        self.reason = reason


class Forbidden(AccountsError):
    pass


class InvalidInput(AccountsError):
    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Conflict(AccountsError):
    pass
