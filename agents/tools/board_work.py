"""What a worker does to the one task it is bound to."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agents.models import Run
from agents.tools.base import Arguments, Tool, ToolContext, ToolOutput
from agents.tools.board import whole
from agents.tools.planning import author_of, refusals
from tasks.models import AuthorKind
from tasks.services import work
from tasks.services.starting import find_bound_task

WORKER = frozenset({"worker"})


class Progress(Arguments):
    done: list[int] = Field(
        default_factory=list, max_length=50, description="Subtasks that are done, by place."
    )
    undone: list[int] = Field(default_factory=list, max_length=50)
    metadata: dict[str, Any] = Field(default_factory=dict, description="Merged; a null removes a key.")


def task_progress(context: ToolContext, arguments: Progress) -> ToolOutput:
    author = author_of(context.run, AuthorKind.WORKER)
    with refusals():
        task = work.note_progress(
            author,
            context.run.pk,
            done=arguments.done,
            undone=arguments.undone,
            metadata=arguments.metadata,
        )
    return whole(author, task.number)


class Note(Arguments):
    text: str = Field(min_length=1, max_length=10_000)


def task_note(context: ToolContext, arguments: Note) -> ToolOutput:
    author = author_of(context.run, AuthorKind.WORKER)
    with refusals():
        comment = work.say(author, context.run.pk, arguments.text, key=context.key)
    return whole(author, comment.task.number)


def bound_to_nothing(run: Run) -> frozenset[str]:
    """Return the tools that a worker without a task must not hold."""
    is_bound = "task_id" in run.input and find_bound_task(run.pk) is not None
    return frozenset() if is_bound else frozenset({"task_progress", "task_note"})


TOOLS = (
    Tool(
        name="task_progress",
        description="Tick subtasks of your task, and keep metadata with it.",
        arguments=Progress,
        function=task_progress,
        kinds=WORKER,
    ),
    Tool(
        name="task_note",
        description="Say something in the discussion of your task, such as a question or a finding.",
        arguments=Note,
        function=task_note,
        kinds=WORKER,
    ),
)
