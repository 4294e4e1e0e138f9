"""Changes of goals that an agent proposes: each an approval of its own, bound to what it changes and from what."""

from __future__ import annotations

from datetime import date
from typing import Any

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from realtime.services import unit_of_work
from tasks.authors import Author
from tasks.models import Approval, Authority, Goal, GoalStatus
from tasks.services import goals
from tasks.services.approvals.asking import Asker, ask
from tasks.services.approvals.kinds import Part
from tasks.services.goal_fields import clean
from tasks.services.proposals.goal_changes import KIND, open_changes, plain

FIELDS = ("title", "description", "priority", "due_on", "authority")
MOST_OPEN = 10


def propose_change(author: Author, goal_id: int, *, why: str, key: str, **changes: Any) -> Approval:
    """Ask people for a change of a goal, its `status` among them. The same `key` again returns the first question.

    Raises InvalidInput for what cannot be or changes nothing, Conflict for a goal that is only proposed.
    """
    status = changes.pop("status", None)
    if unknown := set(changes) - set(FIELDS):
        raise InvalidInput("This cannot be changed.", field=sorted(unknown)[0])
    with unit_of_work():
        goal = goals.lock_goal(author, goal_id)
        if goal.status == GoalStatus.PROPOSED:
            raise Conflict("This goal is only proposed. People decide about it first.")
        wanted = clean(author, changes)
        if status is not None:
            if status not in GoalStatus.values:
                raise InvalidInput("There is no such status.", field="status")
            goals.check_step(goal, status)
            wanted["status"] = status
        after = {name: plain(value) for name, value in wanted.items() if getattr(goal, name) != value}
        if not after:
            raise InvalidInput("This changes nothing.")
        if open_changes(goal).count() >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} changes of this goal wait already. People decide those first.")
        before = {name: plain(getattr(goal, name)) for name in after}
        return ask(
            Asker(
                goal.organization_id,
                agent_id=author.agent_id,
                run_id=author.run_id,
                conversation_id=author.conversation_id,
                requester_user_id=author.user_id,
                requester_person_id=author.person_id,
            ),
            kind=KIND,
            action={"do": "change the goal", "goal": goal.pk, "from": before, "to": after},
            origin_key=f"{KIND}:{key}"[:120],
            title=f"{_headline(after)}: {goal.title}",
            why=why,
            preview=_preview(before, after),
            about=goal,
        )


def apply(actor: Actor, goal: Goal, approval: Approval) -> None:
    """Make an approved change of a held goal, by whoever approved it."""
    values = dict(approval.action["to"])
    if values.get("due_on"):
        values["due_on"] = date.fromisoformat(values["due_on"])
    goals.change(actor, goal, values)


def _headline(after: dict[str, Any]) -> str:
    if "status" in after:
        return {"active": "Reopen", "paused": "Pause", "completed": "Complete"}.get(
            after["status"], "Abandon"
        )
    return (
        "Let agents go further"
        if after.get("authority") in (Authority.PREPARE, Authority.EXECUTE)
        else "Change"
    )


def _preview(before: dict[str, Any], after: dict[str, Any]) -> list[Part]:
    parts: list[Part] = []
    for name, value in after.items():
        old, new = (str("" if each is None else each).splitlines() for each in (before[name], value))
        text = "\n".join([*(f"-{line}" for line in old), *(f"+{line}" for line in new)])
        parts.append(
            {"label": name.replace("_id", "").replace("_", " ").capitalize(), "form": "diff", "text": text}
        )
    return parts
