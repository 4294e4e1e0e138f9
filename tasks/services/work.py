"""What a worker may do to the one task it is bound to: tick subtasks, keep notes for programs, say something."""

from __future__ import annotations

from typing import Any

from accounts.errors import InvalidInput
from realtime.services import unit_of_work
from tasks.authors import Author
from tasks.fields import clean
from tasks.models import Task, TaskComment
from tasks.services.changes import write
from tasks.services.comments import store_comment
from tasks.services.starting import lock_bound_task


def note_progress(
    author: Author, run_id: int, *, done: list[int], undone: list[int], metadata: dict[str, Any] | None = None
) -> Task:
    """Tick subtasks by their place from 1, and merge metadata; a null removes a key. Raises InvalidInput, NotFound."""
    with unit_of_work():
        task = lock_bound_task(run_id)
        subtasks = [dict(item) for item in task.subtasks]
        for places, value in ((done, True), (undone, False)):
            for place in places:
                if not 1 <= place <= len(subtasks):
                    raise InvalidInput(
                        f"There is no subtask {place}; there are {len(subtasks)}.", field="subtasks"
                    )
                subtasks[place - 1]["done"] = value
        merged = {**task.metadata, **(metadata or {})}
        merged = {key: value for key, value in merged.items() if value is not None}
        values = clean(author, {"subtasks": subtasks, "metadata": merged})
        if values == {"subtasks": task.subtasks, "metadata": task.metadata}:
            return task
        return write(task, author, values, summary="Progress")


def say(author: Author, run_id: int, text: str, *, key: str) -> TaskComment:
    """Comment on the bound task."""
    with unit_of_work():
        return store_comment(author, lock_bound_task(run_id), text, key=key)
