"""Goals over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.actor import Actor
from accounts.api_basics import Id, Limit, Needs, Page, actor_of, page, read_cursor
from tasks.agents import workforce
from tasks.api import shapes
from tasks.authors import by_person
from tasks.models import Goal, GoalStatus
from tasks.payloads import goal_payload
from tasks.queries import board as queries
from tasks.services import goals as services

router = Router(tags=["goals"])
READ, WRITE = Needs("goals:read"), Needs("goals:write")
ONE = "/goals/{goal_id}"


@router.get("/goals", response=Page[shapes.GoalOut], auth=READ)
def list_goals(
    request: HttpRequest,
    status: Annotated[list[GoalStatus], Query()] = [],  # noqa: B006  read, never changed
    search: shapes.Search = "",
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """List goals, the most important first, each with the progress of the tasks you may see."""
    actor = actor_of(request)
    rows = queries.list_goals(
        by_person(actor),
        statuses=tuple(status),
        search=search,
        cursor=read_cursor(cursor),
        limit=limit + 1,
    )
    shown = {goal.pk: payload for goal, payload in zip(rows, _payloads(actor, rows), strict=True)}
    return page(rows, limit=limit, payload=lambda goal: shown[goal.pk], cursor=queries.goal_cursor)


@router.post("/goals", response={201: shapes.GoalOut}, auth=WRITE)
def create_goal(request: HttpRequest, body: shapes.GoalIn) -> Status[Any]:
    """Make a goal. A moderator's is active at once; any other waits to be activated."""
    actor = actor_of(request)
    return Status(201, _shown(actor, services.create_goal(by_person(actor), **body.values())))


@router.get(ONE, response=shapes.GoalOut, auth=READ)
def get_goal(request: HttpRequest, goal_id: Id) -> dict[str, Any]:
    actor = actor_of(request)
    return _shown(actor, queries.get_goal(actor, goal_id))


@router.patch(ONE, response=shapes.GoalOut, auth=WRITE)
def edit_goal(request: HttpRequest, goal_id: Id, body: shapes.GoalPatch) -> dict[str, Any]:
    """Change what a goal says. Moderators and its owner may; only moderators let agents go further for it."""
    actor = actor_of(request)
    goal = services.edit_goal(actor, goal_id, expected_revision=body.expected_revision, **body.values())
    return _shown(actor, goal)


@router.post(ONE + "/status", response=shapes.GoalOut, auth=WRITE)
def set_goal_status(request: HttpRequest, goal_id: Id, body: shapes.GoalStatusIn) -> dict[str, Any]:
    """Activate, pause, complete, abandon or reopen a goal."""
    actor = actor_of(request)
    goal = services.set_goal_status(actor, goal_id, body.status, expected_revision=body.expected_revision)
    return _shown(actor, goal)


def _shown(actor: Actor, goal: Goal) -> dict[str, Any]:
    return _payloads(actor, [queries.get_goal(actor, goal.pk)])[0]


def _payloads(actor: Actor, goals: list[Goal]) -> list[dict[str, Any]]:
    progress = queries.progress_of(by_person(actor), [goal.pk for goal in goals])
    names = workforce().names(actor.organization.pk)
    return [goal_payload(goal, progress[goal.pk], names) for goal in goals]
