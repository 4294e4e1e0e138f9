"""What messaging refuses, and why a delivery fails.

    MessagingError
    ├── DeliveryError(permanent, retry_after_s)   the platform did not take a chunk
    ├── Unsupported                               the platform cannot do it at all
    ├── HoldsSecrets(names)                       a file would carry secrets out
    └── AdapterFailed(permanent)                  the connection to a platform broke

Wrong input and unknown rows raise the kinds of `accounts.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable


class MessagingError(Exception):
    pass


class DeliveryError(MessagingError):
    """A chunk was not delivered. `permanent` means that trying again cannot help."""

    def __init__(self, message: str, *, permanent: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class Unsupported(MessagingError):
    """The platform has no such thing. Never retried."""

    def __init__(self, platform: str, operation: str) -> None:
        super().__init__(f"{platform} cannot {operation}")
        self.platform = platform
        self.operation = operation


class HoldsSecrets(MessagingError):
    """A file that is not plain text holds secrets, or is packed so deep that nobody can tell; it stays."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(f"it holds what must not leave: {', '.join(sorted(names))}")


class AdapterFailed(MessagingError):
    """An adapter's connection ended. A permanent failure (a refused token) waits for new settings."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent
