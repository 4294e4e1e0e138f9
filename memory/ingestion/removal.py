"""Taking a file away again, alone or with everything it taught."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from accounts.actor import Actor
from accounts.services import audit
from memory.ingestion import news, queries, store
from memory.ingestion.services import LEAST_ROLE
from memory.models import Audience, IngestedFile
from memory.queries import memories_of
from memory.services.saving import lock_shelf
from memory.services.versions import forget_all
from memory.types import Author
from realtime.services import unit_of_work


def remove_file(actor: Actor, file_id: int, *, agent_id: int | None = None, forget: bool = False) -> int:
    """Remove a file, whether it is read or being read, and return how many memories were forgotten.

    With `forget`, everything it taught that the actor may hear and change goes too; each memory can be restored.
    Moderators remove what everyone may see; what was kept to one person is removed by that person.
    """
    if queries.get_file(actor, file_id, agent_id=agent_id).audience_person_id is None:
        actor.check_level(LEAST_ROLE)
    with unit_of_work():
        seen = queries.get_file(actor, file_id, agent_id=agent_id)
        # Before the row is locked, as a save does: whoever saves a memory of it has done so, or will find it gone.
        lock_shelf(actor.organization.pk, seen.agent_id)
        file = queries.get_file(actor, file_id, agent_id=agent_id, lock=True)
        forgotten = _forget_taught(actor, file) if forget else 0
        news.tell(file.pk, state=news.REMOVED)
        audit.record(
            actor,
            actor.organization,
            "memory.file_removed",
            f"file {file.pk}",
            agent_id=file.agent_id,
            memories_forgotten=forgotten,
        )
        file.delete()
        discard_unshared(actor.organization.pk, {file.digest})
    return forgotten


def _forget_taught(actor: Actor, file: IngestedFile) -> int:
    taught = memories_of(actor).filter(file=file, forgotten_at=None, superseded_at=None)
    if not actor.has_level(LEAST_ROLE):
        taught = taught.exclude(audience=Audience.ORGANIZATION)
    return forget_all(taught, Author(user=actor.user), reason="The file it was learned from was removed.")


def discard_unshared(organization_id: int, digests: set[str]) -> None:
    """Remove content to which no row points any more, once the transaction has committed."""
    shared = IngestedFile.objects.filter(organization_id=organization_id, digest__in=digests)
    for digest in digests - set(shared.values_list("digest", flat=True)):
        transaction.on_commit(partial(store.discard, organization_id, digest))
