"""What of a room's work waits, is allowed for longer, ran or failed: planted with the notices that this really sends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from realtime.services import unit_of_work
from tasks.authors import Author
from tasks.models import (
    Approval,
    AuthorKind,
    Firing,
    Goal,
    Grant,
    Schedule,
    Task,
    TaskComment,
    TaskCounter,
)
from tasks.services import notices
from tasks.services.approvals import notices as approval_notices
from tasks.services.proposals.following import follow

if TYPE_CHECKING:
    from tests.leaks.world import World

MODERATORS = frozenset({"owner", "admin", "moderator"})


@dataclass
class Work:
    """Rows of one room; `proposals` are the approvals of what waits there."""

    goal: Goal
    held: Task
    proposals: list[Approval] = field(default_factory=list)


def plant_work(world: World, name: str, schedule: Schedule, approvals: list[Approval]) -> Work:
    """Let a room have goals, a grant, lines of a ledger, proposals, and a task that the owner holds from outside."""
    team = world.rivals if name == "theirs" else world.acme
    room = world.rooms[name]

    def said(*also: str) -> str:
        others = frozenset() if name == "theirs" else frozenset(also)
        mark = world.mark("room", name, agent=world.agent_of(name), off_record=name == "hush", also=others)
        return f"work {mark}"

    here = {"organization": team.organization, "conversation": room, "audience": "conversation"}
    by_agent = {"created_by_kind": "agent", "created_by_agent_id": room.agent_id, "number": 0}
    counter = TaskCounter.objects.get(organization=team.organization)
    goal = Goal.objects.create(title=said(), description=said(), notes=said(), status="active", **here)
    proposed_goal = Goal.objects.create(title=said(), description=said(), status="proposed", **here)
    proposed = Task(title=said(), description=said(), state="pending_approval", **here, **by_agent)
    held = Task(
        title=said("owner"), state="failed", owner_user=world.acme.owner.user if name != "theirs" else None,
        **here, **by_agent,
    )  # fmt: skip
    for task in (proposed, held):
        counter.last_number += 1
        task.number = counter.last_number
        task.save()
    counter.save()
    TaskComment.objects.create(
        organization=team.organization, task=held, text=said("owner"), author_kind="agent"
    )
    Grant.objects.create(
        organization=team.organization, agent_id=room.agent_id, subject="write_file", conversation=room,
        constraint={"path": {"is": said(*MODERATORS)}}, given_by=team.moderator.user,
        ends_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    Firing.objects.create(
        organization=team.organization, schedule=schedule, due_at=timezone.now(), decision="fired",
        execution="failed", outcome=said(), failure=said(), decided_at=timezone.now(),
    )  # fmt: skip
    planned = Schedule.objects.create(
        organization=team.organization, conversation=room, agent_id=room.agent_id, owner=team.owner.user,
        name=said(), prompt=said(), kind="expression", expression="0 9 * * *", time_zone="UTC", state="proposed",
    )  # fmt: skip
    with unit_of_work():
        asked = [follow(row) for row in (proposed, proposed_goal, planned)]
        for approval in approvals:
            approval_notices.follow(approval)
        notices.task_moved(held, Author(AuthorKind.SYSTEM, team.organization.pk))
        notices.schedule_failed(schedule, said())
    return Work(goal, held, [approval for approval in asked if approval is not None])
