"""Schedules and their ledger, for those who take part in the conversation they answer into."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.errors import Forbidden, NotFound
from accounts.models import Role
from messaging.queries import conversations_of
from tasks.models import Firing, Schedule


def schedules_of(actor: Actor) -> QuerySet[Schedule]:
    """Return the schedules that answer into conversations of the actor: who hears the results sees the schedule."""
    return Schedule.objects.filter(
        organization=actor.organization, conversation__in=conversations_of(actor), deleted_at=None
    ).select_related("conversation", "owner", "organization")


def list_schedules(
    actor: Actor,
    *,
    state: str = "",
    conversation_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Schedule]:
    """Return schedules, newest first; `before` is the id where the page before ended."""
    rows = schedules_of(actor)
    if state:
        rows = rows.filter(state=state)
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[:limit])


def get_schedule(actor: Actor, schedule_id: int) -> Schedule:
    schedule = schedules_of(actor).filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("There is no such schedule.")
    return schedule


def list_firings(
    actor: Actor, schedule: Schedule, *, before: int | None = None, limit: int = 50
) -> list[Firing]:
    """Return lines of the ledger, the latest instant first; `before` is the id where the page before ended."""
    get_schedule(actor, schedule.pk)
    rows = Firing.objects.filter(schedule_id=schedule.pk).select_related("asked_by")
    if before is not None:
        last = rows.filter(pk=before).first()
        if last is None:
            raise NotFound("There is no such line.")
        earlier = rows.filter(due_at__lt=last.due_at)
        rows = earlier | rows.filter(due_at=last.due_at, pk__lt=last.pk)
    return list(rows.order_by("-due_at", "-pk")[:limit])


def get_firing(actor: Actor, schedule_id: int, firing_id: int) -> Firing:
    schedule = get_schedule(actor, schedule_id)
    firing = Firing.objects.filter(pk=firing_id, schedule_id=schedule.pk).select_related("schedule").first()
    if firing is None:
        raise NotFound("There is no such line.")
    return firing


def last_firings(schedules: Iterable[Schedule]) -> dict[int, Firing]:
    """Return the newest line that ran, by schedule; one query."""
    rows = (
        Firing.objects.filter(schedule_id__in=[each.pk for each in schedules], decision="fired")
        .order_by("schedule_id", "-due_at", "-pk")
        .distinct("schedule_id")
    )
    return {row.schedule_id: row for row in rows}


def may_steer(actor: Actor, schedule: Schedule) -> bool:
    """Say whether the actor may confirm, change, pause or remove it: its owner, or a moderator who takes part."""
    return schedule.owner_id == actor.user.pk or actor.has_level(Role.MODERATOR)


def check_may_steer(actor: Actor, schedule: Schedule) -> None:
    if not may_steer(actor, schedule):
        raise Forbidden("Only its owner or a moderator may do this.")
