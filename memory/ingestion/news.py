"""What browsers hear while a file is read: figures and a state, never its name or what it says."""

from __future__ import annotations

from memory.models import IngestedFile
from realtime.services import NewEvent, record

CHANGED = "memory.file_changed"
REMOVED = "removed"
SHOWN = frozenset({"state", "reason", "chunks_total", "chunks_done", "memories"})
"""What a page shows of a file: a change of these is worth an event, a renewed lease is not."""


def tell(file_id: int, *, state: str = "") -> None:
    """Record how far a file is, for those who may see it. Joins the caller's unit of work."""
    rows = IngestedFile.objects.filter(pk=file_id).select_related("audience_person")
    file = rows.only(*SHOWN, "organization_id", "agent_id", "audience_person__user_id").first()
    if file is None:
        return
    for_one = file.audience_person
    if for_one is not None and for_one.user_id is None:
        return
    figures = {
        "id": file.pk,
        "agent_id": file.agent_id,
        "state": state or str(file.state),
        "chunks_total": file.chunks_total,
        "chunks_done": file.chunks_done,
        "memories": file.memories,
    }
    event = NewEvent(CHANGED, {"file": figures}, user_id=for_one.user_id if for_one else None)
    record(file.organization_id, event)
