"""What people decide about contradictions and merges."""

from __future__ import annotations

from typing import Literal

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.services import audit
from memory import hooks, queries
from memory.models import InboxItem, Memory
from memory.services.consolidation import Merge, consolidate
from memory.services.editing import get_for_change
from memory.services.versions import keep_before, supersede
from memory.types import Author

Resolution = Literal["keep_first", "keep_second", "merge", "keep_both"]


def resolve(actor: Actor, item_id: int, *, resolution: Resolution, content: str = "") -> InboxItem:
    """Keep one of the two, both, or merge them into `content`. Only who may change both may decide.

    Raises Conflict when it was decided already or one of the two is no longer in use.
    """
    item = queries.get_inbox_item(actor, item_id)
    first, second = get_for_change(actor, item.first_id), get_for_change(actor, item.second_id)
    author = Author(user=actor.user)
    if resolution == "merge":
        _check_open(item)
        merge = Merge(first.pk, frozenset({second.pk}), content)
        consolidate(
            organization_id=actor.organization.pk, agent_id=item.agent_id, merges=[merge], author=author
        )
        return _close(item, actor, "merged")
    with transaction.atomic():
        _check_open(InboxItem.objects.select_for_update().get(pk=item.pk))
        if resolution == "keep_first":
            _retire(second, first, author)
        elif resolution == "keep_second":
            _retire(first, second, author)
        elif resolution != "keep_both":
            raise InvalidInput(f"There is no resolution {resolution}.", field="resolution")
        return _close(item, actor, resolution)


def _retire(old: Memory, kept: Memory, author: Author) -> None:
    row = Memory.objects.select_for_update(no_key=True).get(pk=old.pk)
    if not row.is_live:
        raise Conflict("This memory is no longer in use.")
    keep_before(row, "superseded", author)
    supersede(row)
    Memory.objects.filter(pk=row.pk).update(superseded_by=kept)
    for withdrawn in hooks.on_withdrawn:
        withdrawn(row)


def _check_open(item: InboxItem) -> None:
    if item.resolved_at is not None:
        raise Conflict("This was decided already.")


@transaction.atomic
def _close(item: InboxItem, actor: Actor, resolution: str) -> InboxItem:
    audit.record(
        actor, actor.organization, "memory.decided", f"memories {item.first_id} and {item.second_id}",
        kind=item.kind, resolution=resolution,
    )  # fmt: skip
    item.resolved_at, item.resolution, item.resolved_by = timezone.now(), resolution, actor.user
    item.save(update_fields=["resolved_at", "resolution", "resolved_by"])
    return item
