"""Goals. Agents propose them and keep notes; only people activate, widen and close them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Membership, Role
from accounts.services import audit
from realtime.services import record, unit_of_work
from tasks import visibility
from tasks.authors import Author, by_person, check_person
from tasks.errors import Cycle
from tasks.models import Audience, Authority, Goal, GoalStatus, Happening, Priority
from tasks.services.changes import check_revision, goal_changed, lock_graph
from tasks.services.wakes.ringing import happened

G = GoalStatus
STATUSES: dict[GoalStatus, frozenset[GoalStatus]] = {
    G.PROPOSED: frozenset({G.ACTIVE, G.ABANDONED}),
    G.ACTIVE: frozenset({G.PAUSED, G.COMPLETED, G.ABANDONED}),
    G.PAUSED: frozenset({G.ACTIVE, G.COMPLETED, G.ABANDONED}),
    G.COMPLETED: frozenset({G.ACTIVE}),
    G.ABANDONED: frozenset({G.ACTIVE}),
}
CLOSED = (G.COMPLETED, G.ABANDONED)
LEVELS = list(Authority)


def create_goal(author: Author, **values: Any) -> Goal:
    """Make a goal: active when a moderator does, else proposed. An agent's is seen by those in its conversation."""
    decides = author.is_person and author.actor is not None and author.actor.has_level(Role.MODERATOR)
    cleaned = _clean(author, {"title": "", **values})
    if not author.is_person and set(cleaned) - {"title", "description", "priority", "due_on", "parent_id"}:
        raise Forbidden("An agent proposes a goal; how far it goes is for people to say.")
    if cleaned.get("authority", Authority.PROPOSE) != Authority.PROPOSE and not decides:
        raise Forbidden("How far agents may go for a goal is for moderators to say.")
    with unit_of_work():
        if cleaned.get("parent_id"):
            _check_parent(author, None, cleaned["parent_id"])
        cleaned.setdefault("owner_user_id", author.author_user_id)
        goal = Goal.objects.create(
            **cleaned,
            organization_id=author.organization_id,
            status=G.ACTIVE if decides else G.PROPOSED,
            audience=Audience.CONVERSATION if author.conversation_id else Audience.ORGANIZATION,
            conversation_id=author.conversation_id,
            created_by_user_id=author.user_id if author.actor else None,
            agent_id=author.agent_id,
            run_id=author.run_id,
        )
        record(goal.organization_id, goal_changed(goal))
        _wake(goal)
        if author.actor is not None:
            audit.record(author.actor, author.actor.organization, "goal.created", f"goal:{goal.pk}")
    return goal


def edit_goal(actor: Actor, goal_id: int, *, expected_revision: int | None = None, **changes: Any) -> Goal:
    """Change what a goal says. Moderators and its owner may; only moderators let agents go further for it."""
    author = by_person(actor)
    cleaned = _clean(author, changes)
    with unit_of_work():
        if "parent_id" in cleaned:
            _check_parent(author, goal_id, cleaned["parent_id"])
        goal = _lock(author, goal_id, expected_revision)
        _check_editor(actor, goal)
        if _widens(goal, cleaned.get("authority")):
            actor.check_level(Role.MODERATOR)
        changed = {name for name, value in cleaned.items() if getattr(goal, name) != value}
        if not changed:
            return goal
        _write(goal, {name: cleaned[name] for name in changed})
        _wake(goal)
        audit.record(actor, actor.organization, "goal.changed", f"goal:{goal.pk}", fields=sorted(changed))
    return goal


def set_goal_status(actor: Actor, goal_id: int, status: str, *, expected_revision: int | None = None) -> Goal:
    """Activate, pause, close or reopen a goal. Moderators may, and its owner all but the first activation.

    Activating a proposed goal shows it to everyone. Where it is already, nothing happens.
    """
    if status not in GoalStatus.values:
        raise InvalidInput("There is no such status.", field="status")
    with unit_of_work():
        goal = _lock(by_person(actor), goal_id, expected_revision)
        _check_editor(actor, goal)
        before = goal.status
        if before == status:
            return goal
        if GoalStatus(status) not in STATUSES[GoalStatus(before)]:
            raise Conflict(f"A goal cannot go from {before} to {status}.")
        if before == G.PROPOSED and status == G.ACTIVE:
            actor.check_level(Role.MODERATOR)
        values: dict[str, Any] = {"status": status, "closed_at": timezone.now() if status in CLOSED else None}
        if status == G.ACTIVE:
            values["audience"] = Audience.ORGANIZATION
        _write(goal, values)
        _wake(goal)
        audit.record(actor, actor.organization, "goal.status", f"goal:{goal.pk}", before=before, after=status)
    return goal


def note_goal(author: Author, goal_id: int, notes: str) -> Goal:
    """Replace the notes of an open goal: all that an agent can write into one."""
    notes = _text("notes", 10_000)(author, notes)
    with unit_of_work():
        goal = _lock(author, goal_id, None)
        if goal.status in CLOSED:
            raise Conflict("This goal is closed.")
        if goal.notes != notes:
            _write(goal, {"notes": notes})
    return goal


def _lock(author: Author, goal_id: int, expected_revision: int | None) -> Goal:
    goal = visibility.goals(author).filter(pk=goal_id).select_for_update(no_key=True, of=("self",)).first()
    if goal is None:
        raise NotFound("There is no such goal.")
    check_revision(goal, expected_revision)
    return goal


def _write(goal: Goal, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(goal, name, value)
    goal.revision += 1
    goal.save()
    record(goal.organization_id, goal_changed(goal))


def _wake(goal: Goal) -> None:
    """Wake every agent for a goal that all may see: they work towards it together."""
    if goal.audience == Audience.ORGANIZATION and goal.status != G.PROPOSED:
        happened(
            goal.organization_id, Happening.GOAL_CHANGED, key=f"goal:{goal.pk}", payload={"goal": goal.pk}
        )


def _check_editor(actor: Actor, goal: Goal) -> None:
    check_person(actor)
    if not actor.has_level(Role.MODERATOR) and goal.owner_user_id != actor.user.pk:
        raise Forbidden("Moderators and its owner change a goal.")


def _widens(goal: Goal, authority: str | None) -> bool:
    return authority is not None and LEVELS.index(Authority(authority)) > LEVELS.index(
        Authority(goal.authority)
    )


REACHES = """
with recursive above as (
    select parent_id from tasks_goal where id = %s
    union
    select g.parent_id from tasks_goal g join above a on g.id = a.parent_id)
select exists (select 1 from above where parent_id = %s)
"""


def _check_parent(author: Author, goal_id: int | None, parent_id: int | None) -> None:
    """Raise unless the parent can be one; holds the tree, so that two writers make no cycle."""
    lock_graph(author.organization_id)
    if parent_id is None:
        return
    if not visibility.goals(author).filter(pk=parent_id).exists():
        raise InvalidInput("There is no such goal.", field="parent_id")
    with connection.cursor() as cursor:
        cursor.execute(REACHES, [parent_id, goal_id])
        if parent_id == goal_id or cursor.fetchone()[0]:
            raise Cycle("A goal cannot serve itself, directly or not.")


def _clean(author: Author, changes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, value in changes.items():
        if field not in CLEANERS:
            raise InvalidInput("This cannot be changed.", field=field)
        column, check = CLEANERS[field]
        found[column] = check(author, value)
    return found


def _text(field: str, most: int, *, needed: bool = False) -> Callable[[Author, Any], str]:
    def check(author: Author, value: Any) -> str:
        if not isinstance(value, str) or "\0" in value:
            raise InvalidInput("This must be text.", field=field)
        text = " ".join(value.split()) if needed else value.strip()
        if needed and not text:
            raise InvalidInput("A goal needs a title.", field=field)
        if len(text) > most:
            raise InvalidInput(f"This is too long: {most:,} characters at most.", field=field)
        return text

    return check


def _priority(author: Author, value: Any) -> int:
    found = Priority.named(value) if isinstance(value, str) else None
    if found is None:
        raise InvalidInput("The priority is critical, high, medium or low.", field="priority")
    return int(found)


def _day(author: Author, value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise InvalidInput("Write the day as 2027-03-31.", field="due_on") from None


def _authority(author: Author, value: Any) -> str:
    if value not in Authority.values:
        raise InvalidInput("The authority is propose, prepare or execute.", field="authority")
    return str(value)


def _owner(author: Author, value: Any) -> int | None:
    known = Membership.objects.filter(organization_id=author.organization_id, user_id=value)
    if value is not None and not known.exists():
        raise InvalidInput("There is no such member.", field="owner_id")
    return int(value) if value is not None else None


def _parent(author: Author, value: Any) -> int | None:
    return int(value) if value is not None else None


CLEANERS: dict[str, tuple[str, Callable[[Author, Any], Any]]] = {
    "title": ("title", _text("title", 200, needed=True)),
    "description": ("description", _text("description", 20_000)),
    "notes": ("notes", _text("notes", 10_000)),
    "priority": ("priority", _priority),
    "due_on": ("due_on", _day),
    "authority": ("authority", _authority),
    "owner_id": ("owner_user_id", _owner),
    "parent_id": ("parent_id", _parent),
}
