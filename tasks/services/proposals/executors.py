"""What the approval of a proposal does: the transition that the row would make, by whoever decided."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from accounts.actor import Actor, actor_for
from accounts.errors import AccountsError
from accounts.models import Membership
from tasks.authors import Author, by_person
from tasks.models import (
    Approval,
    ApprovalState,
    AuthorKind,
    Decision,
    Goal,
    Schedule,
    Task,
    TaskState,
    Verdict,
)
from tasks.services import goal_changes, goals, moves
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.errors import ActionChanged
from tasks.services.approvals.kinds import Executor, hold_conversation
from tasks.services.changes import lock_graph
from tasks.services.proposals.contents import Row, proposal_of, waits
from tasks.services.proposals.following import follow
from tasks.services.proposals.goal_changes import is_current
from tasks.services.schedules import acts


def row_of(approval: Approval) -> Row:
    """Return what was proposed, as it is now."""
    row: Any = None
    if approval.task_id is not None:
        row = Task.objects.filter(pk=approval.task_id).first()
    elif approval.goal_id is not None:
        row = Goal.objects.filter(pk=approval.goal_id).first()
    elif approval.schedule_id is not None:
        row = Schedule.objects.filter(pk=approval.schedule_id).select_related("organization").first()
    if row is None:
        raise ActionChanged("what was proposed is gone")
    found: Row = row
    return found


def hold(approval: Approval) -> None:
    """Lock what stands before the approval in the order of locks: conversation, board counter, row."""
    hold_conversation(approval)
    if approval.goal_id is not None:
        lock_graph(approval.organization_id)
        Goal.objects.select_for_update(no_key=True, of=("self",)).filter(pk=approval.goal_id).first()
    elif approval.task_id is not None:
        Task.objects.select_for_update(no_key=True, of=("self",)).filter(pk=approval.task_id).first()
    elif approval.schedule_id is not None:
        Schedule.objects.select_for_update(of=("self",)).filter(pk=approval.schedule_id).first()


def check(approval: Approval) -> None:
    """Raise ActionChanged unless what was proposed still waits and says exactly what was shown."""
    proposal = proposal_of(row_of(approval))
    if not proposal.waits:
        raise ActionChanged("it does not wait for a decision any more")
    if digest_of(approval.organization_id, proposal.kind, proposal.action) != approval.digest:
        raise ActionChanged("it was changed since it was shown")


def decision_of(approval: Approval, verdict: Verdict) -> tuple[Actor, Decision]:
    """Return who decided last, as what they are now, and what they said."""
    decision = approval.decisions.filter(verdict=verdict).order_by("-at", "-pk")[0]
    membership = Membership.objects.select_related("user", "organization").get(
        organization_id=approval.organization_id, user_id=decision.user_id
    )
    return actor_for(membership), decision


def executing(act: Callable[[Actor, Decision, Approval], str]) -> Callable[[Approval], str]:
    """Return what does it by the last who approved; a refusal undoes nothing but itself and is told."""

    def execute(approval: Approval) -> str:
        actor, decision = decision_of(approval, Verdict.APPROVE)
        try:
            return act(actor, decision, approval)
        except AccountsError as error:
            raise ActionChanged(str(error).rstrip(".")) from None

    return execute


def _task_on_board(actor: Actor, decision: Decision, approval: Approval) -> str:
    task = row_of(approval)
    assert isinstance(task, Task)
    to = decision.choice or TaskState.READY
    moves.put_on_board(actor, task, to=to, note=decision.comment)
    return f"Task #{task.number} is on the board, {TaskState(to).label.lower()}."


def _goal_active(actor: Actor, decision: Decision, approval: Approval) -> str:
    goal = row_of(approval)
    assert isinstance(goal, Goal)
    goals.activate(actor, goal)
    return "The goal is active."


def _schedule_active(actor: Actor, decision: Decision, approval: Approval) -> str:
    schedule = row_of(approval)
    assert isinstance(schedule, Schedule)
    acts.begin(actor, schedule, takes_over=not approval.four_eyes)
    return "It runs when it is due."


def _check_change(approval: Approval) -> None:
    goal = row_of(approval)
    assert isinstance(goal, Goal)
    if not is_current(approval, goal):
        raise ActionChanged("the goal was changed since it was shown")


def _goal_changed(actor: Actor, decision: Decision, approval: Approval) -> str:
    goal = row_of(approval)
    assert isinstance(goal, Goal)
    goal_changes.apply(actor, goal, approval)
    return "The goal is changed."


def told(approval: Approval) -> None:
    """Take what was turned down, taken back or never decided off the board; ask again for what could not be done."""
    closed = (ApprovalState.REJECTED, ApprovalState.EXPIRED, ApprovalState.WITHDRAWN, ApprovalState.FAILED)
    if approval.state not in closed:
        return
    with suppress(ActionChanged):
        row = row_of(approval)
        proposal = proposal_of(row)
        same = digest_of(approval.organization_id, proposal.kind, proposal.action) == approval.digest
        if not waits(row) or not same:
            return
        if approval.state == ApprovalState.FAILED:
            follow(row)
        else:
            _take_off(approval, row)


def _take_off(approval: Approval, row: Row) -> None:
    actor, note = None, approval.reason
    if approval.state == ApprovalState.REJECTED:
        actor, decision = decision_of(approval, Verdict.REJECT)
        note = decision.comment
    author = by_person(actor) if actor else Author(AuthorKind.SYSTEM, approval.organization_id)
    if isinstance(row, Task):
        moves.take_off_board(author, row, note=note)
    elif isinstance(row, Goal):
        goals.lay_aside(author, row)
    else:
        acts.turn_down(author, row, reason=note)


def _executor(label: str, icon: str, act: Any, choices: tuple[str, ...] = ()) -> Executor:
    return Executor(
        label=label, icon=icon, choices=choices, check=check, execute=executing(act), told=told, hold=hold
    )  # fmt: skip


TASK = _executor("Task", "square-kanban", _task_on_board, (str(TaskState.READY), str(TaskState.BACKLOG)))
GOAL = _executor("Goal", "target", _goal_active)
GOAL_CHANGE = Executor(
    label="Change of a goal",
    icon="target",
    check=_check_change,
    execute=executing(_goal_changed),
    hold=hold,
)
SCHEDULE = _executor("Schedule", "calendar-clock", _schedule_active)
