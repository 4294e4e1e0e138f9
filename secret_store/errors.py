"""What the secret store refuses.

accounts.errors.NotFound
└── SecretNotFound(name)     no such secret, neither the agent's nor the organization's
accounts.errors.AccountsError
└── KeyUnavailable           the master key is missing, unreadable or another one; nothing was changed
    └── VaultLocked          an operator has locked the secrets
"""

from __future__ import annotations

from accounts.errors import AccountsError, NotFound


class SecretNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no secret {name}.")
        self.name = name


class KeyUnavailable(AccountsError):
    pass


class VaultLocked(KeyUnavailable):
    def __init__(self) -> None:
        super().__init__("The secrets are locked. An operator can unlock them.")
