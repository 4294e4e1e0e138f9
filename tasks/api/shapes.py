"""The shapes in which goals and tasks go over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from accounts.api_basics import Id, Strict
from tasks.models import Audience, Authority, AuthorKind, GoalStatus, TaskState, WorkerType, Workspace
from tasks.snapshots import Holder

PriorityWord = Literal["critical", "high", "medium", "low"]
Title = Annotated[str, Field(min_length=1, max_length=200)]
Description = Annotated[str, Field(max_length=50_000)]
Revision = Annotated[int, Field(ge=1, le=2**31 - 1)]
Search = Annotated[str, Field(max_length=200)]
Reason = Annotated[str, Field(max_length=300)]


class HolderIn(Strict):
    kind: Literal["person", "agent"]
    id: Id

    def holder(self) -> Holder:
        return Holder(self.kind, self.id)


class HolderOut(Schema):
    kind: Literal["person", "agent"]
    id: int
    name: str


class GoalRef(Schema):
    id: int
    title: str


class Subtask(Strict):
    title: Annotated[str, Field(min_length=1, max_length=300)]
    done: bool = False


class TaskOut(Schema):
    """`needs` are the tasks it waits for, `blocked_by` those of them that are not done; `moves` the states to which
    you may move it; `requester` the person with whose authority it runs."""

    number: int
    title: str
    description: str
    subtasks: list[Subtask]
    metadata: dict[str, Any]
    priority: PriorityWord
    goal: GoalRef | None
    state: TaskState
    blocked_reason: str
    needs: list[int]
    blocked_by: list[int]
    owner: HolderOut | None
    assignee: HolderOut | None
    worker_type: WorkerType
    skills: list[str]
    workspace: Workspace
    requester: str | None
    created_by: str
    created_by_kind: AuthorKind
    audience: Audience
    conversation_id: int | None
    decision: str
    decided_by: str | None
    decided_at: datetime | None
    decision_note: str
    attempts: int
    running_run_id: int | None
    revision: int
    moves: list[TaskState]
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    archived_at: datetime | None


class TaskFields(Strict):
    description: Description | None = None
    subtasks: Annotated[list[Subtask], Field(max_length=50)] | None = None
    metadata: dict[str, Any] | None = None
    priority: PriorityWord | None = None
    goal_id: Id | None = None
    owner: HolderIn | None = None
    assignee: HolderIn | None = None
    worker_type: WorkerType | None = None
    skills: Annotated[list[str], Field(max_length=20)] | None = None
    workspace: Workspace | None = None
    needs: Annotated[list[Id], Field(max_length=20)] | None = None

    def values(self) -> dict[str, Any]:
        """Return what was sent; a null clears goal, owner and assignee and is left out elsewhere."""
        found: dict[str, Any] = {}
        for field in self.model_fields_set & CHANGEABLE:
            value = getattr(self, field)
            if isinstance(value, HolderIn):
                value = value.holder()
            elif field == "subtasks" and value is not None:
                value = [item.dict() for item in value]
            if value is not None or field in CLEARABLE:
                found[field] = value
        return found


CHANGEABLE = {*TaskFields.model_fields, "title"}
CLEARABLE = frozenset({"goal_id", "owner", "assignee"})


class TaskIn(TaskFields):
    title: Title
    state: Literal["backlog", "ready"] = "backlog"
    conversation_id: Id | None = None


class TaskPatch(TaskFields):
    expected_revision: Revision | None = None
    title: Title | None = None
    summary: Annotated[str, Field(max_length=200)] = ""


class MoveIn(Strict):
    state: TaskState
    expected_revision: Revision | None = None
    reason: Reason = ""


class ApproveIn(Strict):
    """`expected_revision` is the revision you read: an approval is for what was read."""

    expected_revision: Revision
    state: Literal["ready", "backlog"] = "ready"
    note: Annotated[str, Field(max_length=1000)] = ""


class RejectIn(Strict):
    expected_revision: Revision
    note: Annotated[str, Field(max_length=1000)] = ""


class StartIn(Strict):
    expected_revision: Revision | None = None


class StopIn(Strict):
    reason: Reason = ""


class CommentIn(Strict):
    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class CommentOut(Schema):
    id: int
    text: str
    author: str
    author_kind: AuthorKind
    run_id: int | None
    created_at: datetime


class RevisionOut(Schema):
    number: int
    snapshot: dict[str, Any]
    author: str
    author_kind: AuthorKind
    run_id: int | None
    summary: str
    restored_from: int | None
    created_at: datetime


class DifferenceOut(Schema):
    """`lines` is a unified diff where the field is a long text."""

    field: str
    before: Any = None
    after: Any = None
    lines: list[str]


class RestoreIn(Strict):
    expected_revision: Revision


class NeedsIn(Strict):
    needs: Annotated[list[Id], Field(max_length=20)]
    expected_revision: Revision | None = None


class DependenciesOut(Schema):
    """`dependents` wait for this task, of those you may see."""

    needs: list[int]
    blocked_by: list[int]
    dependents: list[int]


class AttemptOut(Schema):
    """`outcome` is empty while it is under way."""

    number: int
    agent: str
    run_id: int
    revision: int
    outcome: str
    summary: str
    started_at: datetime
    ended_at: datetime | None


class GoalOut(Schema):
    id: int
    title: str
    description: str
    status: GoalStatus
    priority: PriorityWord
    due_on: date | None
    authority: Authority
    notes: str
    parent_id: int | None
    owner: HolderOut | None
    proposed_by: str | None
    audience: Audience
    tasks_done: int
    tasks_total: int
    revision: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class GoalFields(Strict):
    description: Annotated[str, Field(max_length=20_000)] | None = None
    priority: PriorityWord | None = None
    due_on: date | None = None
    authority: Authority | None = None
    notes: Annotated[str, Field(max_length=10_000)] | None = None
    parent_id: Id | None = None
    owner_id: Id | None = None

    def values(self) -> dict[str, Any]:
        """Return what was sent; a null clears day, parent and owner and is left out elsewhere."""
        sent = {field: getattr(self, field) for field in self.model_fields_set & GOAL_FIELDS}
        return {
            field: value
            for field, value in sent.items()
            if value is not None or field in ("due_on", "parent_id", "owner_id")
        }


GOAL_FIELDS = {*GoalFields.model_fields, "title"}


class GoalIn(GoalFields):
    title: Title


class GoalPatch(GoalFields):
    expected_revision: Revision | None = None
    title: Title | None = None


class GoalStatusIn(Strict):
    status: GoalStatus
    expected_revision: Revision | None = None
