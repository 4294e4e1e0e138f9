"""Goals. Agents propose them and keep notes; only people activate, widen and close them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import Role
from accounts.services import audit
from realtime.services import record, unit_of_work
from tasks import visibility
from tasks.authors import Author, by_person, check_person
from tasks.models import Audience, Authority, Goal, GoalStatus, Happening
from tasks.services import notices
from tasks.services.changes import check_revision, goal_changed
from tasks.services.goal_fields import check_parent, clean, clean_goal
from tasks.services.proposals import doors
from tasks.services.proposals.following import follow
from tasks.services.proposals.goal_changes import drop_stale
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
    cleaned = clean(author, {"title": "", **values})
    if not author.is_person and set(cleaned) - {"title", "description", "priority", "due_on", "parent_id"}:
        raise Forbidden("An agent proposes a goal; how far it goes is for people to say.")
    if cleaned.get("authority", Authority.PROPOSE) != Authority.PROPOSE and not decides:
        raise Forbidden("How far agents may go for a goal is for moderators to say.")
    with unit_of_work():
        if cleaned.get("parent_id"):
            check_parent(author, None, cleaned["parent_id"])
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
        follow(goal, requester_id=author.user_id)
        _wake(goal)
        if author.actor is not None:
            audit.record(author.actor, author.actor.organization, "goal.created", f"goal:{goal.pk}")
    return goal


def edit_goal(actor: Actor, goal_id: int, *, expected_revision: int | None = None, **changes: Any) -> Goal:
    """Change what a goal says. Moderators and its owner may; only moderators let agents go further for it."""
    author = by_person(actor)
    with unit_of_work():
        cleaned = clean_goal(author, changes, goal_id=goal_id)
        goal = lock_goal(author, goal_id, expected_revision)
        _check_editor(actor, goal)
        if _widens(goal, cleaned.get("authority")):
            actor.check_level(Role.MODERATOR)
        changed = {name for name, value in cleaned.items() if getattr(goal, name) != value}
        if not changed:
            return goal
        change(actor, goal, {name: cleaned[name] for name in changed})
    return goal


def change(actor: Actor, goal: Goal, values: dict[str, Any]) -> None:
    """Write checked columns of a held goal, its status among them. Who may has been asked before."""
    author, rest = by_person(actor), {name: value for name, value in values.items() if name != "status"}
    if rest:
        _write(goal, rest)
        _wake(goal)
        notices.goal_changed(goal, author, "was changed")
        audit.record(actor, actor.organization, "goal.changed", f"goal:{goal.pk}", fields=sorted(rest))
    if "status" in values:
        _set_status(author, goal, GoalStatus(values["status"]))


def set_goal_status(actor: Actor, goal_id: int, status: str, *, expected_revision: int | None = None) -> Goal:
    """Activate, pause, close or reopen a goal. Moderators may, and its owner all but the first activation.

    What happens to a proposed goal is decided by its approval. Where it is already, nothing happens.
    """
    if status not in GoalStatus.values:
        raise InvalidInput("There is no such status.", field="status")
    approval = None
    with unit_of_work():
        goal = lock_goal(by_person(actor), goal_id, expected_revision)
        if goal.status == status:
            return goal
        check_step(goal, status)
        if goal.status == G.PROPOSED:
            decide = doors.approve if status == G.ACTIVE else doors.turn_down
            approval = decide(actor, goal)
        else:
            _check_editor(actor, goal)
            _set_status(by_person(actor), goal, GoalStatus(status))
    if approval is not None:
        doors.check_done(approval)
        goal.refresh_from_db()
    return goal


def check_step(goal: Goal, status: str) -> None:
    if GoalStatus(status) not in STATUSES[GoalStatus(goal.status)]:
        raise Conflict(f"A goal cannot go from {goal.status} to {status}.")


def activate(actor: Actor, goal: Goal) -> None:
    """Begin with a held goal that was approved, which shows it to everyone; its approval calls this."""
    _set_status(by_person(actor), goal, G.ACTIVE)


def lay_aside(author: Author, goal: Goal) -> None:
    """Abandon a held proposal that was turned down, or that nobody decided; its approval calls this."""
    _set_status(author, goal, G.ABANDONED)


def _set_status(author: Author, goal: Goal, status: GoalStatus) -> None:
    before = goal.status
    values: dict[str, Any] = {"status": status, "closed_at": timezone.now() if status in CLOSED else None}
    if status == G.ACTIVE:
        values["audience"] = Audience.ORGANIZATION
    _write(goal, values)
    _wake(goal)
    notices.goal_changed(goal, author, f"is {goal.get_status_display().lower()}")
    if author.actor is not None:
        audit.record(
            author.actor,
            author.actor.organization,
            "goal.status",
            f"goal:{goal.pk}",
            before=before,
            after=status,
        )


def note_goal(author: Author, goal_id: int, notes: str) -> Goal:
    """Replace the notes of an open goal: all that an agent can write into one."""
    notes = clean(author, {"notes": notes})["notes"]
    with unit_of_work():
        goal = lock_goal(author, goal_id, None)
        if goal.status in CLOSED:
            raise Conflict("This goal is closed.")
        if goal.notes != notes:
            _write(goal, {"notes": notes})
    return goal


def lock_goal(author: Author, goal_id: int, expected_revision: int | None = None) -> Goal:
    """Return a goal the author may see, its row held. Raises NotFound and Stale."""
    goal = visibility.goals(author).filter(pk=goal_id).select_for_update(no_key=True, of=("self",)).first()
    if goal is None:
        raise NotFound("There is no such goal.")
    check_revision(goal, expected_revision)
    return goal


def _write(goal: Goal, values: dict[str, Any]) -> None:
    waited = goal.status == G.PROPOSED
    for name, value in values.items():
        setattr(goal, name, value)
    goal.revision += 1
    goal.save()
    record(goal.organization_id, goal_changed(goal))
    if waited:
        follow(goal)
    else:
        drop_stale(goal)


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
