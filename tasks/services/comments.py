"""The discussion of a task. What people say there reaches a worker that is on it."""

from __future__ import annotations

from accounts.errors import InvalidInput
from realtime.services import record, unit_of_work
from tasks.agents import workforce
from tasks.authors import Author
from tasks.models import Attempt, Happening, Task, TaskComment
from tasks.services.changes import lock_task, task_changed, wake_those_of

LONGEST = 10_000


def add_comment(author: Author, number: int, text: str, *, key: str | None = None) -> TaskComment:
    """Add a comment; called twice with one `key` it returns the first. Everyone who sees a task may comment."""
    with unit_of_work():
        task = lock_task(author, number)
        return store_comment(author, task, text, key=key)


def store_comment(author: Author, task: Task, text: str, *, key: str | None = None) -> TaskComment:
    """Add a comment to a held task."""
    text = text.strip()
    if not text or "\0" in text:
        raise InvalidInput("Say something.", field="text")
    if len(text) > LONGEST:
        raise InvalidInput(f"This is too long: {LONGEST:,} characters at most.", field="text")
    if key is not None and (existing := TaskComment.objects.filter(key=key).first()):
        return existing
    comment = TaskComment.objects.create(
        organization_id=task.organization_id,
        task=task,
        text=text,
        author_kind=author.kind,
        author_user_id=author.author_user_id,
        author_agent_id=author.agent_id,
        run_id=author.run_id,
        key=key,
    )
    if author.is_person:
        _tell_worker(author, comment)
    wake_those_of(task, Happening.TASK_COMMENTED, without=author.agent_id)
    record(task.organization_id, task_changed(task, "task.commented"))
    return comment


def _tell_worker(author: Author, comment: TaskComment) -> None:
    run_id = (
        Attempt.objects.filter(task_id=comment.task_id, ended_at=None)
        .values_list("run_id", flat=True)
        .first()
    )
    if run_id is not None and author.actor is not None:
        words = comment.text.replace("\n", "\n  ")
        workforce().tell(
            run_id, f"[comment on your task] {author.actor.user}:\n  {words}", f"comment{comment.pk}"
        )
