"""What tasks refuses.

accounts.errors
├── TooLarge                     more than is taken in at once
├── NotFound                     also for rows of others
├── Forbidden
│   └── MoveRefused              this actor may not take a task from there to there
├── InvalidInput
└── Conflict
    ├── Stale                    somebody wrote meanwhile; carries both revisions
    ├── NotStartable             the task is not ready, blocked, or under way already
    └── Cycle                    a dependency or a parent would lead back to itself
"""

from __future__ import annotations

from accounts.errors import AccountsError, Conflict, Forbidden


class TooLarge(AccountsError):
    pass


class MoveRefused(Forbidden):
    pass


class Stale(Conflict):
    """`extra` goes into the API's problem document beside its text."""

    def __init__(self, *, expected: int, current: int) -> None:
        super().__init__(
            f"Somebody changed this meanwhile: you saw revision {expected}, it is {current} now."
            " Nothing of yours was saved; look at the difference and save again."
        )
        self.expected, self.current = expected, current
        self.extra = {"expected_revision": expected, "current_revision": current}


class NotStartable(Conflict):
    pass


class Cycle(Conflict):
    pass
