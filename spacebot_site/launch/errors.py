"""What set-up and supervision refuse.

LaunchError           one line for the person: what is wrong, and how to mend it
└── EmbeddedError     a server of ours cannot be set up or started
"""

from __future__ import annotations


class LaunchError(Exception):
    """`str(error)` is one line that says what is wrong and how to mend it."""

    def __init__(self, problem: str, mend: str = "") -> None:
        super().__init__(f"{problem}: {mend}" if mend else problem)
        self.problem = problem
        self.mend = mend


class EmbeddedError(LaunchError):
    pass
