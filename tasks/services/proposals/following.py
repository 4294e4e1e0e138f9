"""Keeping the approval of a proposal in step with what is proposed, in the transaction that writes it.

An approval is for exactly one content. So when what waits is changed, the approval that stood for the old words is
closed and another one asks for the new; what people had said to the old one counts no more.
"""

from __future__ import annotations

import difflib
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from realtime.services import unit_of_work
from tasks.models import (
    PENDING_STATES,
    Approval,
    ApprovalState,
    Goal,
    GoalStatus,
    Schedule,
    ScheduleState,
    Task,
    TaskState,
)
from tasks.services.approvals.asking import ask, close
from tasks.services.approvals.canonical import digest_of
from tasks.services.approvals.kinds import Part
from tasks.services.proposals.contents import Proposal, Row, proposal_of, waits

AT_ONCE = 100


def follow(
    row: Row, *, reason: str = "it was decided elsewhere", requester_id: int | None = None
) -> Approval | None:
    """Ask for what waits, and close what asks for something else; return what is open. The caller holds the row.

    `requester_id` says for whom an agent proposed a goal, whose row does not keep it.
    """
    found = find_open(row)
    if not waits(row):
        if found is not None:
            close(found, ApprovalState.WITHDRAWN, reason)
        return None
    proposal = proposal_of(row)
    if found is not None:
        if found.digest == digest_of(row.organization_id, proposal.kind, proposal.action):
            return found
        close(found, ApprovalState.WITHDRAWN, "it was changed; what it says now is asked for anew")
    return _ask(proposal, found, requester_id)


def find_open(row: Row) -> Approval | None:
    """Return the approval that asks for a row as it stands, its row held."""
    kind = row._meta.model_name or ""
    rows = row.approvals.filter(kind=kind, state__in=PENDING_STATES)
    return rows.select_for_update(of=("self",)).first()


def _ask(proposal: Proposal, before: Approval | None, requester_id: int | None) -> Approval:
    asker = proposal.asker
    if asker.requester_user_id is None and asker.requester_person_id is None:
        known = requester_id or (before.requester_user_id if before else None)
        asker = type(asker)(**{**asker.__dict__, "requester_user_id": known})
    count = proposal.row.approvals.filter(kind=proposal.kind).count()
    return ask(
        asker,
        kind=proposal.kind,
        action=proposal.action,
        origin_key=f"{proposal.kind}:{proposal.row.pk}:{count + 1}",
        title=proposal.title,
        preview=_preview(proposal, before),
        about=proposal.row,
        discussion=before.discussion if before else (),
    )


def _preview(proposal: Proposal, before: Approval | None) -> list[Part]:
    text = "\n".join(proposal.lines)
    parts: list[Part] = [{"label": "What it says", "form": "text", "text": text}]
    old = next((part["text"] for part in before.preview if part["form"] == "text"), "") if before else ""
    if before is not None:
        lines = list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="", n=2))[2:]
        if lines:
            parts.insert(
                0, {"label": "What changed since it was asked", "form": "diff", "text": "\n".join(lines)}
            )
    return parts


def heal() -> int:
    """Ask for what waits and nobody was asked about: rows of before, and what the admin wrote. Safe twice."""
    count = 0
    waiting: tuple[QuerySet[Any], ...] = (
        Task.objects.filter(state=TaskState.PENDING_APPROVAL, archived_at=None),
        Goal.objects.filter(status=GoalStatus.PROPOSED),
        Schedule.objects.filter(state=ScheduleState.PROPOSED, deleted_at=None),
    )
    for rows in waiting:
        for pk in list(_unasked(rows).values_list("pk", flat=True)[:AT_ONCE]):
            with unit_of_work():
                row = rows.model.objects.select_for_update(no_key=True, of=("self",)).get(pk=pk)
                if find_open(row) is None and follow(row) is not None:
                    count += 1
    return count


def _unasked(rows: QuerySet[Any]) -> QuerySet[Any]:
    kind = rows.model._meta.model_name or ""
    open_ones = Approval.objects.filter(**{kind: OuterRef("pk")}, kind=kind, state__in=PENDING_STATES)
    return rows.filter(~Exists(open_ones))
