"""Who writes on the board: a person, an agent's run, the worker bound to a task, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.actor import Actor
from accounts.errors import Forbidden
from accounts.models import Role
from tasks.models import AuthorKind


@dataclass(frozen=True)
class Author:
    """`user_id` is the person, or the one whose authority an agent's run carries.

    `conversation_id` is where an agent's run lives; what it writes may be seen there and no wider.
    """

    kind: AuthorKind
    organization_id: int
    actor: Actor | None = None
    user_id: int | None = None
    person_id: int | None = None
    agent_id: int | None = None
    run_id: int | None = None
    conversation_id: int | None = None

    @property
    def is_person(self) -> bool:
        return self.kind == AuthorKind.PERSON

    @property
    def author_user_id(self) -> int | None:
        """Return the person who wrote it themselves; None for what was written by software."""
        return self.user_id if self.is_person else None


def by_person(actor: Actor) -> Author:
    """Return a person as author. A membership of the role agent is software with a token: it counts as an agent."""
    kind = AuthorKind.AGENT if actor.role == Role.AGENT else AuthorKind.PERSON
    return Author(kind, actor.organization.pk, actor=actor, user_id=actor.user.pk)


def check_person(actor: Actor) -> None:
    """Raise Forbidden for a membership that is no human's: decisions are people's."""
    if actor.role == Role.AGENT:
        raise Forbidden("Only a person can decide this.")
