"""How the board, the goals and the schedule decide about a proposal: by its approval, as the inbox does."""

from __future__ import annotations

from accounts.actor import Actor
from accounts.errors import Conflict
from tasks.models import Approval, ApprovalState, Verdict
from tasks.services.approvals import asking, deciding
from tasks.services.approvals.deciders import is_requester, may_decide
from tasks.services.proposals.contents import Row
from tasks.services.proposals.following import follow


def approve(actor: Actor, row: Row, *, comment: str = "", choice: str = "") -> Approval:
    """Take the actor's yes to a held row that waits. Ask `check_done` once the transaction is over."""
    return _decide(actor, row, Verdict.APPROVE, comment, choice)


def reject(actor: Actor, row: Row, *, comment: str = "") -> Approval:
    return _decide(actor, row, Verdict.REJECT, comment, "")


def turn_down(actor: Actor, row: Row, *, comment: str = "") -> Approval:
    """Reject a held row that waits; whoever asked for it, and may not decide, takes it back instead."""
    approval = _of(row)
    own = is_requester(actor.user.pk, approval.requester_user_id, approval.requester_person_id)
    if own and not may_decide(actor, approval):
        return asking.withdraw(actor, approval.pk)
    return reject(actor, row, comment=comment)


def check_done(approval: Approval) -> None:
    """Raise Conflict when what was approved was not done, outside the transaction that keeps the reason."""
    if approval.state in (ApprovalState.FAILED, ApprovalState.EXPIRED):
        raise Conflict(f"This was not done: {approval.reason}.")


def _decide(actor: Actor, row: Row, verdict: Verdict, comment: str, choice: str) -> Approval:
    approval = _of(row)
    return deciding.decide(
        actor, approval.pk, verdict, comment=comment, digest=approval.digest, choice=choice
    )


def _of(row: Row) -> Approval:
    approval = follow(row)
    if approval is None:
        raise Conflict("This does not wait for a decision.")
    return approval
