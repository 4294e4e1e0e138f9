"""What a worker is told of the task it is bound to: the specification is its order, everything else is material."""

from __future__ import annotations

from agents.context.history import indent
from tasks.agents import workforce
from tasks.models import Task, TaskComment
from tasks.payloads import author_name

COMMENTS, RESULTS = 30, 10
LONGEST_RESULT = 4_000


def render_task(task: Task) -> str:
    """Return the specification, then in a block of its own what may help: results, comments, earlier attempts."""
    parts = [task.title]
    if task.description:
        parts.append(task.description)
    if task.subtasks:
        lines = (
            f"{place}. [{'x' if item['done'] else ' '}] {item['title']}"
            for place, item in enumerate(task.subtasks, start=1)
        )
        parts.append("Subtasks:\n" + "\n".join(lines))
    if task.skills:
        parts.append(f"Skills it needs: {', '.join(task.skills)}.")
    context = "\n".join([*_results(task), *_attempts(task), *_comments(task)])
    block = f"\n\n[task context]\n{context}\n[/task context]" if context else ""
    return "\n\n".join(parts) + block


def _results(task: Task) -> list[str]:
    lines = []
    for each in task.dependencies.select_related("needs").order_by("needs__number")[:RESULTS]:
        last = each.needs.attempts.exclude(summary="").order_by("-number").first()
        said = f": {indent(last.summary[:LONGEST_RESULT])}" if last else ""
        lines.append(f"- result of task #{each.needs.number} ({indent(each.needs.title)}){said}")
    return lines


def _attempts(task: Task) -> list[str]:
    earlier = task.attempts.exclude(ended_at=None).order_by("number")
    return [
        f"- attempt {each.number} ended as {each.outcome}: {indent(each.summary[:LONGEST_RESULT])}"
        for each in earlier
    ]


def _comments(task: Task) -> list[str]:
    names = workforce().names(task.organization_id)
    rows = TaskComment.objects.filter(task=task).select_related("author_user").order_by("-id")[:COMMENTS]
    return [f"- comment by {author_name(row, names)}: {indent(row.text)}" for row in reversed(rows)]
