"""Verdicts of people: approve, reject, ask back; one by one or several alike at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import AccountsError, Conflict, Forbidden, InvalidInput
from accounts.services import audit
from realtime.services import unit_of_work
from tasks.models import Approval, ApprovalState, Decision, Verdict
from tasks.queries import approvals as queries
from tasks.services.approvals import grants, telling
from tasks.services.approvals.asking import close
from tasks.services.approvals.deciders import check_may_decide, may_decide, rule_now, standing_approvers
from tasks.services.approvals.executing import execute_now
from tasks.services.approvals.grants import GrantOffer
from tasks.services.approvals.kinds import executor_for

MOST_COMMENT = 2_000
MOST_AT_ONCE = 100


@dataclass(frozen=True)
class Outcome:
    """What became of one approval of several; `problem` says why nothing did."""

    approval_id: int
    state: str = ""
    problem: str = ""


def decide(
    actor: Actor,
    approval_id: int,
    verdict: str,
    *,
    comment: str = "",
    grant: GrantOffer | None = None,
    digest: str | None = None,
    choice: str = "",
) -> Approval:
    """Take the actor's verdict. `digest` is of what the actor was shown; another one is refused.

    `choice` is one of those the kind offers.

    The same verdict again changes nothing, another one on what is closed is a Conflict. Approving what enough people
    have approved runs the action at once, or wakes the run that waits for it. A grant is given with an approval only.
    """
    found = queries.get_approval(actor, approval_id)
    chosen, words = _check_verdict(verdict, comment)
    if grant is not None and chosen != Verdict.APPROVE:
        raise InvalidInput("Only an approval can allow something for longer.", field="grant")
    if choice and (choice not in executor_for(found.kind).choices or chosen != Verdict.APPROVE):
        raise InvalidInput("This cannot be chosen here.", field="choice")
    with unit_of_work():
        executor_for(found.kind).hold(found)
        approval = Approval.objects.select_for_update().get(pk=found.pk)
        check_may_decide(actor, approval)
        if digest is not None and digest != approval.digest:
            raise Conflict("This is not the action you were shown. Look at it again.")
        if not approval.is_pending:
            return _closed_already(actor, approval, chosen)
        if approval.expires_at <= timezone.now():
            close(approval, ApprovalState.EXPIRED, "nobody decided in time")
            return approval
        if not _note(actor, approval, chosen, words, choice):
            return approval
        audit.record(
            actor, actor.organization, f"approval.{chosen.value}", target=f"approval:{approval.pk}",
            kind=approval.kind, subject=approval.subject, digest=approval.digest,
        )  # fmt: skip
        if grant is not None:
            grants.give(actor, approval, grant)
        _settle(actor, approval, chosen, words)
    return approval


def decide_many(
    actor: Actor, approval_ids: Sequence[int], verdict: str, *, comment: str = ""
) -> list[Outcome]:
    """Take one verdict for several approvals; each stands or falls alone."""
    if not 1 <= len(approval_ids) <= MOST_AT_ONCE:
        raise InvalidInput(f"Choose 1 to {MOST_AT_ONCE} approvals.", field="ids")
    outcomes = []
    for approval_id in dict.fromkeys(approval_ids):
        try:
            approval = decide(actor, approval_id, verdict, comment=comment)
            outcomes.append(Outcome(approval_id, state=str(approval.state)))
        except AccountsError as error:
            outcomes.append(Outcome(approval_id, problem=str(error)))
    return outcomes


def answer(actor: Actor, approval_id: int, text: str) -> Approval:
    """Answer what a decider asked back: whoever asked may, and so may who takes part. It is open again then."""
    found = queries.get_approval(actor, approval_id)
    words = _check_text(text, needed=True)
    with unit_of_work():
        executor_for(found.kind).hold(found)
        approval = Approval.objects.select_for_update().get(pk=found.pk)
        is_theirs = queries.takes_part(actor, approval) or approval.requester_user_id == actor.user.pk
        if not is_theirs and not may_decide(actor, approval):
            raise Forbidden("Only who takes part can answer this.")
        if not approval.is_pending:
            raise Conflict("This is closed already.")
        approval.state = ApprovalState.OPEN
        approval.discussion = [*approval.discussion, _entry(actor, "answer", words)]
        approval.save(update_fields=["state", "discussion"])
        telling.changed(approval)
    return approval


def _check_verdict(verdict: str, comment: str) -> tuple[Verdict, str]:
    if verdict not in Verdict.values:
        raise InvalidInput("Choose approve, reject or ask_back.", field="verdict")
    return Verdict(verdict), _check_text(comment, needed=verdict == Verdict.ASK_BACK)


def _check_text(text: str, *, needed: bool) -> str:
    words = text.strip()
    if needed and not words:
        raise InvalidInput("Say what you want to know.", field="comment")
    if len(words) > MOST_COMMENT or "\x00" in words:
        raise InvalidInput(f"A comment has {MOST_COMMENT:,} characters at most.", field="comment")
    return words


def _closed_already(actor: Actor, approval: Approval, verdict: Verdict) -> Approval:
    """The same click twice is answered like the first; anything else came too late."""
    mine = approval.decisions.filter(user=actor.user).first()
    if mine is not None and mine.verdict == verdict:
        return approval
    raise Conflict(f"This was decided already: {ApprovalState(approval.state).label.lower()}.")


def _note(actor: Actor, approval: Approval, verdict: Verdict, comment: str, choice: str) -> bool:
    """Write down the verdict; False if the actor said exactly this before and it stands."""
    mine = approval.decisions.filter(user=actor.user).first()
    if mine is not None and mine.verdict == verdict and verdict != Verdict.ASK_BACK:
        return False
    values: dict[str, Any] = {"verdict": verdict, "comment": comment, "choice": choice, "at": timezone.now()}
    Decision.objects.update_or_create(
        approval=approval, user=actor.user, defaults={**values, "organization_id": approval.organization_id}
    )
    return True


def _settle(actor: Actor, approval: Approval, verdict: Verdict, comment: str) -> None:
    approval.decided_at = timezone.now()
    if verdict == Verdict.REJECT:
        approval.save(update_fields=["decided_at"])
        close(
            approval,
            ApprovalState.REJECTED,
            f"{actor.user}: {comment}" if comment else f"rejected by {actor.user}",
        )
    elif verdict == Verdict.ASK_BACK:
        _ask_back(actor, approval, comment)
    else:
        _approve(approval)


def _ask_back(actor: Actor, approval: Approval, comment: str) -> None:
    approval.state = ApprovalState.ASKED_BACK
    approval.discussion = [*approval.discussion, _entry(actor, "question", comment)]
    approval.save(update_fields=["state", "discussion", "decided_at"])
    number = len(approval.discussion)
    telling.say(
        approval,
        f"{actor.user} asks about “{approval.title}” (approval {approval.pk}), which waits for a decision:\n\n{comment}",
        key=f"approval{approval.pk}.asked.{number}",
    )
    telling.changed(approval)


def _approve(approval: Approval) -> None:
    rule = rule_now(approval)
    if len(standing_approvers(approval, rule)) < rule.needed:
        approval.state = ApprovalState.OPEN
        approval.save(update_fields=["state", "decided_at"])
        telling.changed(approval)
        return
    approval.state = ApprovalState.APPROVED
    approval.save(update_fields=["state", "decided_at"])
    if executor_for(approval.kind).waits(approval):
        telling.changed(approval)
    else:
        execute_now(approval)


def _entry(actor: Actor, kind: str, text: str) -> dict[str, Any]:
    return {
        "user_id": actor.user.pk,
        "name": str(actor.user),
        "kind": kind,
        "text": text,
        "at": timezone.now().isoformat(),
    }
