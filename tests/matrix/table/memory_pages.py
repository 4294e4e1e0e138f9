"""Files that agents learn from, merges, and memories entered by hand."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from memory.models import Consolidation, IngestedFile, Memory
from tests.matrix.table.rules import (
    MODERATOR,
    Act,
    Operation,
    Page,
    form,
    gone,
    list_of,
    nothing,
    ours,
    read,
    taking_part,
)
from tests.matrix.world import World

FILE = "/agents/{agent_id}/files/{file_id}"
ENTERED = {"agent": "{agent_id}", "type": "fact", "content": "Entered by hand.", "audience": "organization"}


def _merge(world: World) -> dict[str, object]:
    values = world.values
    merge = {"survivor_id": values["memory_id"], "absorbed_ids": [values["target_id"]], "content": "both"}
    return {"agent_id": values["agent_id"], "merges": [merge]}


def _upload(world: World) -> dict[str, object]:
    content = SimpleUploadedFile("given.txt", b"words of a page")
    return {"agent": world.values["agent_id"], "audience": "organization", "file": content}


API: dict[str, Operation] = {
    f"DELETE {FILE}": Operation("memory:write", 200, MODERATOR),
    "DELETE /memories/{memory_id}": taking_part("memory:write", 204),
    "GET /memories/inbox/{item_id}": read("memory:read", participants=True),
    "GET /memories/merges": list_of("memory:read"),
    "POST /memories/merges": taking_part("memory:write", 201, _merge),
    "POST /memories/merges/{merge_id}/undo": taking_part("memory:write", 200, nothing),
}
PAGES: dict[str, Page] = {
    "memory/new/": Page(acts=True),
    "memory/files/": Page(acts=True),
    "memory/files/<int:file_id>/": Page(ours=True, acts=True),
}
ACTS: list[Act] = [
    Act(
        "memory/new/", "create", form(**ENTERED), ours(Memory, content="Entered by hand."),
        lowest=MODERATOR, refused=200, stranger=200,
    ),
    Act("memory/files/", "upload", _upload, ours(IngestedFile, name="given.txt"), lowest=MODERATOR),
    Act(
        "memory/files/<int:file_id>/", "retry", form(act="retry"), ours(IngestedFile, pk="{file_id}", state="extracting"),
        lowest=MODERATOR,
    ),
    Act(
        "memory/files/<int:file_id>/", "remove", form(act="remove"), gone(IngestedFile, pk="{file_id}"),
        lowest=MODERATOR,
    ),
    Act(
        "memory/<int:memory_id>/", "erase", form(act="erase"), gone(Memory, pk="{memory_id}"),
    ),
    Act(
        "memory/<int:memory_id>/", "associate", form(act="associate", target="{target_id}", relation="part_of"),
        lambda world: Memory.objects.filter(pk=world.values["memory_id"], edges_out__relation="part_of").exists(),
    ),
    Act(
        "memory/<int:memory_id>/", "undo_merge", form(act="undo_merge", merge="{merge_id}"),
        ours(Consolidation, pk="{merge_id}", undone_at__isnull=False),
    ),
]  # fmt: skip
