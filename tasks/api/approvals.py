"""Approvals, grants and the rules of who decides, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from tasks.approval_payloads import approval_payload, grant_payload, rule_payload
from tasks.models import Approval
from tasks.queries import approvals as queries
from tasks.services.approvals import asking, deciding, grants, rules
from tasks.services.approvals.deciders import decidable_ids

router = Router(tags=["approvals"])

State = Literal[
    "open", "closed", "asked_back", "approved", "rejected", "expired", "withdrawn", "executed", "failed"
]
Verdict = Literal["approve", "reject", "ask_back"]
Comment = Annotated[str, Field(max_length=deciding.MOST_COMMENT)]
DeciderRole = Literal["member", "moderator", "admin", "owner"]


class PartOut(Schema):
    label: str
    form: str
    text: str


class DecisionOut(Schema):
    user_id: int
    name: str
    verdict: str
    comment: str
    at: datetime


class EntryOut(Schema):
    user_id: int
    name: str
    kind: str
    text: str
    at: datetime


class ApprovalOut(Schema):
    """`digest` is the SHA-256 over organization, kind and `action`: what an approval is bound to."""

    id: int
    kind: str
    subject: str
    title: str
    why: str
    state: str
    reason: str
    result: str
    agent_id: int | None
    run_id: int | None
    conversation_id: int | None
    task_number: int | None
    goal_id: int | None
    schedule_id: int | None
    requester: str | None
    requester_user_id: int | None
    action: dict[str, Any]
    digest: str
    preview: list[PartOut]
    discussion: list[EntryOut]
    minimum_role: str
    needed: int
    four_eyes: bool
    may_decide: bool
    decisions: list[DecisionOut]
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    used_at: datetime | None
    closed_at: datetime | None


class GrantIn(Strict):
    """What to allow for longer: the arguments named in `fields` must stay as they are, those in `under` below a folder."""

    ends_in_s: int = Field(ge=grants.SHORTEST_S, le=grants.LONGEST_S)
    everywhere: bool = False
    fields: list[str] = Field(default_factory=list, max_length=50)
    under: dict[str, str] = Field(default_factory=dict, max_length=50)
    uses: int | None = Field(default=None, ge=1, le=100_000)

    def offer(self) -> grants.GrantOffer:
        return grants.GrantOffer(
            ends_in_s=self.ends_in_s,
            everywhere=self.everywhere,
            fields=tuple(self.fields),
            under=tuple(self.under.items()),
            uses=self.uses,
        )


class DecideIn(Strict):
    """`digest`, if sent, must be that of the action as it is: one decides about what one was shown.

    `choice` is where an approved task goes: ready, which it is unless said, or backlog.
    """

    verdict: Verdict
    comment: Comment = ""
    digest: str | None = Field(default=None, max_length=64)
    choice: str = Field(default="", max_length=20)
    grant: GrantIn | None = None


class DecideManyIn(Strict):
    ids: list[Id] = Field(min_length=1, max_length=deciding.MOST_AT_ONCE)
    verdict: Verdict
    comment: Comment = ""


class OutcomeOut(Schema):
    """`problem` says why nothing was decided about this one."""

    approval_id: int
    state: str
    problem: str


class AnswerIn(Strict):
    text: str = Field(min_length=1, max_length=deciding.MOST_COMMENT)


class GrantOut(Schema):
    id: int
    agent_id: int
    tool: str
    conversation_id: int | None
    constraint: dict[str, Any]
    given_by: str
    approval_id: int | None
    uses_left: int | None
    used: int
    last_used_at: datetime | None
    created_at: datetime
    ends_at: datetime
    revoked_at: datetime | None


class RuleIn(Strict):
    """Empty `kind`, `subject` and `agent_id` mean all of them; the closest rule counts."""

    agent_id: Id | None = None
    kind: str = Field(default="", max_length=20)
    subject: str = Field(default="", max_length=80)
    minimum_role: DeciderRole = "moderator"
    needed: int = Field(default=1, ge=1, le=rules.MOST_NEEDED)
    four_eyes: bool = False
    expires_after_s: int = Field(default=7 * rules.DAY_S, ge=rules.EXPIRY_S[0], le=rules.EXPIRY_S[1])


class RuleOut(Schema):
    id: int
    agent_id: int | None
    kind: str
    subject: str
    minimum_role: str
    needed: int
    four_eyes: bool
    expires_after_s: int


@router.get("/approvals", response=Page[ApprovalOut], auth=Needs("approvals:read"))
def list_approvals(
    request: HttpRequest,
    state: State | None = None,
    kind: str = "",
    subject: str = "",
    agent_id: Id | None = None,
    conversation_id: Id | None = None,
    run_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """What waits or waited for a person, as far as you may see it, newest first."""
    actor = actor_of(request)
    rows = queries.list_approvals(
        actor,
        state=state or "",
        kind=kind,
        subject=subject,
        agent_id=agent_id,
        conversation_id=conversation_id,
        run_id=run_id,
        before=read_cursor(cursor),
        limit=limit + 1,
    )
    prefetch_related_objects(rows, "decisions__user")
    mine = decidable_ids(actor, rows)
    return page(
        rows,
        limit=limit,
        payload=lambda row: approval_payload(row, may_decide=row.pk in mine),
        cursor=lambda row: row.pk,
    )


@router.post("/approvals/decide", response=list[OutcomeOut], auth=Needs("approvals:write"))
def decide_many(request: HttpRequest, body: DecideManyIn) -> Any:
    """One verdict for several; each stands or falls alone."""
    return deciding.decide_many(actor_of(request), body.ids, body.verdict, comment=body.comment)


@router.get("/approvals/{approval_id}", response=ApprovalOut, auth=Needs("approvals:read"))
def get_approval(request: HttpRequest, approval_id: Id) -> dict[str, Any]:
    return _shown(request, queries.get_approval(actor_of(request), approval_id))


@router.post("/approvals/{approval_id}/decide", response=ApprovalOut, auth=Needs("approvals:write"))
def decide(request: HttpRequest, approval_id: Id, body: DecideIn) -> dict[str, Any]:
    """The same verdict twice is answered like the first; another one on what is closed is a conflict."""
    grant = body.grant.offer() if body.grant else None
    decided = deciding.decide(
        actor_of(request),
        approval_id,
        body.verdict,
        comment=body.comment,
        digest=body.digest,
        grant=grant,
        choice=body.choice,
    )
    return _shown(request, decided)


@router.post("/approvals/{approval_id}/answer", response=ApprovalOut, auth=Needs("approvals:write"))
def answer(request: HttpRequest, approval_id: Id, body: AnswerIn) -> dict[str, Any]:
    """Answer what a decider asked back."""
    return _shown(request, deciding.answer(actor_of(request), approval_id, body.text))


@router.post("/approvals/{approval_id}/withdraw", response=ApprovalOut, auth=Needs("approvals:write"))
def withdraw(request: HttpRequest, approval_id: Id) -> dict[str, Any]:
    return _shown(request, asking.withdraw(actor_of(request), approval_id))


@router.get("/grants", response=Page[GrantOut], auth=Needs("approvals:read"))
def list_grants(
    request: HttpRequest, usable: bool = False, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """What agents may do without asking again, newest first."""
    rows = queries.list_grants(actor_of(request), usable=usable, before=read_cursor(cursor), limit=limit + 1)
    return page(rows, limit=limit, payload=grant_payload, cursor=lambda row: row.pk)


@router.post("/grants/{grant_id}/revoke", response=GrantOut, auth=Needs("approvals:write"))
def revoke_grant(request: HttpRequest, grant_id: Id) -> dict[str, Any]:
    return grant_payload(grants.revoke(actor_of(request), grant_id))


@router.get("/approval-rules", response=Page[RuleOut], auth=Needs("approvals:manage"))
def list_rules(request: HttpRequest) -> dict[str, Any]:
    return {"items": [rule_payload(rule) for rule in rules.list_rules(actor_of(request))], "next": None}


@router.put("/approval-rules", response=RuleOut, auth=Needs("approvals:manage"))
def save_rule(request: HttpRequest, body: RuleIn) -> dict[str, Any]:
    """Set who decides for this agent, kind and subject."""
    return rule_payload(rules.save_rule(actor_of(request), **body.dict()))


@router.delete("/approval-rules/{rule_id}", response={204: None}, auth=Needs("approvals:manage"))
def delete_rule(request: HttpRequest, rule_id: Id) -> Status[None]:
    rules.delete_rule(actor_of(request), rule_id)
    return Status(204, None)


def _shown(request: HttpRequest, approval: Approval) -> dict[str, Any]:
    actor = actor_of(request)
    found = queries.get_approval(actor, approval.pk)
    return approval_payload(found, may_decide=bool(decidable_ids(actor, [found])))
