"""Merges that people make and take back; agents merge through `consolidation` under their run's own checks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from accounts.actor import Actor
from accounts.services import audit
from memory import queries
from memory.models import Consolidation, Memory
from memory.services.consolidation import Merge, consolidate, undo_consolidation
from memory.services.editing import get_for_change
from memory.types import Author


def merge_memories(actor: Actor, *, agent_id: int, merges: Sequence[Merge]) -> list[Consolidation]:
    """Merge, all or nothing. The actor must be allowed to change each memory that takes part."""
    for pk in {pk for merge in merges for pk in (merge.survivor_id, *merge.absorbed_ids)}:
        get_for_change(actor, pk)
    return consolidate(
        organization_id=actor.organization.pk,
        agent_id=agent_id,
        merges=merges,
        author=Author(user=actor.user),
        within=partial(_note_all, actor),
    )


def undo_merge(actor: Actor, consolidation_id: int) -> Memory:
    """Give back what was merged. Undoing twice changes nothing; Conflict if the memory was changed since."""
    merged = queries.get_consolidation(actor, consolidation_id)
    for pk in (merged.survivor_id, *merged.before["absorbed"]):
        get_for_change(actor, pk, live=False)
    with transaction.atomic():
        survivor = undo_consolidation(actor.organization.pk, merged.pk, author=Author(user=actor.user))
        if merged.undone_at is None:
            _note(actor, "merge_undone", merged)
    return survivor


def _note_all(actor: Actor, done: Sequence[Consolidation]) -> None:
    for merged in done:
        _note(actor, "merged", merged)


def _note(actor: Actor, what: str, merged: Consolidation) -> None:
    absorbed = merged.before["absorbed"]
    audit.record(
        actor, actor.organization, f"memory.{what}", f"memory {merged.survivor_id}", absorbed=absorbed
    )
