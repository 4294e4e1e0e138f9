"""The actor: who acts, in which organization, with what authority. Every door takes one."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.errors import Forbidden
from accounts.models import Membership, Organization, Role, User
from accounts.scopes import MINIMUM_ROLES


@dataclass(frozen=True)
class Actor:
    """A user in one organization. `scopes` is None for a signed-in session, else what the token may do."""

    user: User
    organization: Organization
    role: Role
    scopes: frozenset[str] | None = None
    token_id: int | None = None

    @property
    def level(self) -> int:
        return self.role.level

    def has_level(self, role: Role) -> bool:
        return self.level >= role.level

    def check_level(self, role: Role) -> None:
        """Raise Forbidden unless the actor's role reaches `role`."""
        if not self.has_level(role):
            raise Forbidden(f"This needs the role {role.value} or higher.")

    def check_scope(self, scope: str) -> None:
        """Raise Forbidden unless the role reaches `scope` and the token, if there is one, carries it."""
        self.check_level(MINIMUM_ROLES[scope])
        if self.scopes is not None and scope not in self.scopes:
            raise Forbidden(f"This token lacks the scope {scope}.")


def actor_for(membership: Membership) -> Actor:
    return Actor(user=membership.user, organization=membership.organization, role=Role(membership.role))
