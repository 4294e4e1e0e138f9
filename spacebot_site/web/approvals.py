"""The approvals inbox: what waits for a person, one request laid open, and what was allowed for longer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.actor import Actor
from accounts.errors import Conflict
from accounts.models import Role
from agents.queries import list_agents, readable_runs
from messaging.queries import conversations_of
from spacebot_site.web.approval_words import ENDS, describe, describe_grant, place_of, shown_action
from spacebot_site.web.door import page, wants_fragment
from spacebot_site.web.forms import attempt, number
from tasks.models import Approval
from tasks.queries import approvals as queries
from tasks.services.approvals import asking, deciding, grants
from tasks.services.approvals.kinds import executor_for, labels
from tasks.services.proposals.doors import check_done

PAGE = 50
TABS = {"mine": "Waits for me", "open": "Everything open", "closed": "Decided"}
DONE = {
    "approve": "Approved.",
    "grant": "Approved, and allowed for longer.",
    "reject": "Rejected.",
    "ask_back": "Asked back.",
    "answer": "Answered.",
    "withdraw": "Taken back.",
}


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _decide_many(request, actor)
        return redirect(_next(request) or "approvals")
    tab = request.GET.get("show", "mine")
    tab = tab if tab in TABS else "mine"
    agents = {agent.pk: agent for agent in list_agents(actor)}
    chosen: dict[str, Any] = {
        "kind": request.GET.get("kind", "")[:20],
        "subject": request.GET.get("subject", "")[:80],
        "agent": number(request.GET.get("agent")),
    }
    before = number(request.GET.get("before")) or None
    found = _found(actor, tab, before=before, **chosen)
    rows = describe(actor, found[:PAGE], agents)
    more = {"show": tab, **{key: value for key, value in chosen.items() if value}}
    here = {**more, "before": before} if before else more
    return render(
        request,
        "approvals/index.html",
        {
            "tab": tab,
            "tabs": TABS.items(),
            "rows": rows,
            "may_bulk": sum(row.at_once for row in rows) > 1,
            "agents": agents.values(),
            "kinds": labels().items(),
            "chosen": chosen,
            "next_page": urlencode({**more, "before": found[PAGE - 1].pk}) if len(found) > PAGE else "",
            "here": f"{request.path}?{urlencode(here)}",
        },
    )


@page()
def one(request: HttpRequest, actor: Actor, approval_id: int) -> HttpResponse:
    approval = queries.get_approval(actor, approval_id)
    if request.method == "POST":
        _act(request, actor, approval)
        return redirect(_next(request) or request.path)
    agents = {agent.pk: agent for agent in list_agents(actor)}
    (row,) = describe(actor, [approval], agents)
    template = "approvals/drawer.html" if wants_fragment(request) else "approvals/detail.html"
    run = readable_runs(actor).filter(pk=approval.run_id or 0).first()
    shown: dict[str, Any] = {
        "row": row,
        "approval": approval,
        "parts": executor_for(approval.kind).describe(approval),
        "action": shown_action(approval),
        "decisions": approval.decisions.select_related("user").order_by("at"),
        "place": _place(actor, approval),
        "choices": executor_for(approval.kind).choices,
        "run": run,
        "conversation": conversations_of(actor).filter(pk=approval.conversation_id or 0).first(),
        "may_answer": approval.is_pending
        and (queries.takes_part(actor, approval) or approval.requester_user_id == actor.user.pk),
        "may_withdraw": approval.is_pending and approval.requester_user_id == actor.user.pk,
        "may_grant": row.may_decide and approval.kind == "tool_call" and approval.needed == 1,
        "may_everywhere": actor.has_level(Role.MODERATOR),
        "ends": ENDS,
    }
    return render(request, template, shown)


@page()
def grant_list(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        attempt(request, lambda: grants.revoke(actor, number(request.POST.get("grant"))), "Revoked.")
        return redirect("grants")
    agents = {agent.pk: agent for agent in list_agents(actor)}
    found = queries.list_grants(actor, limit=200)
    rows = [describe_grant(actor, grant, agents) for grant in found]
    return render(request, "approvals/grants.html", {"rows": rows, "tabs": TABS.items(), "tab": "grants"})


def _found(
    actor: Actor, tab: str, *, kind: str, subject: str, agent: int, before: int | None
) -> list[Approval]:
    if tab != "mine":
        return queries.list_approvals(
            actor,
            state=tab,
            kind=kind,
            subject=subject,
            agent_id=agent or None,
            before=before,
            limit=PAGE + 1,
        )
    rows = queries.decidable(actor)
    wanted = {"kind": kind, "subject": subject, "agent_id": agent}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value})
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-id")[: PAGE + 1])


def _place(actor: Actor, approval: Approval) -> tuple[str, str] | None:
    """Return the link to what was proposed, if the actor may open it; what a schedule became of may be gone."""
    return place_of(approval) if queries.may_open(actor, approval) else None


def _act(request: HttpRequest, actor: Actor, approval: Approval) -> None:
    form, act = request.POST, request.POST.get("act", "")
    comment, digest = form.get("comment", ""), form.get("digest") or None
    if act == "withdraw":
        attempt(request, lambda: asking.withdraw(actor, approval.pk), DONE[act])
    elif act == "answer":
        attempt(request, lambda: deciding.answer(actor, approval.pk, comment), DONE[act])
    else:
        offer = _offer(request) if act == "grant" else None
        verdict = "approve" if act == "grant" else act
        choice = form.get("choice", "") if verdict == "approve" else ""
        attempt(
            request,
            lambda: _decide(
                actor, approval, verdict, comment=comment, digest=digest, grant=offer, choice=choice
            ),
            DONE.get(act, ""),
        )


def _decide(actor: Actor, approval: Approval, verdict: str, **said: Any) -> None:
    """Take the verdict; what was approved and could not be done is said as a refusal, after it was written down."""
    check_done(deciding.decide(actor, approval.pk, verdict, **said))


def _offer(request: HttpRequest) -> grants.GrantOffer:
    form = request.POST
    return grants.GrantOffer(
        ends_in_s=number(form.get("ends_in_s")),
        everywhere=form.get("where") == "everywhere",
        fields=tuple(form.getlist("fields")),
        uses=number(form.get("uses")) or None,
    )


def _decide_many(request: HttpRequest, actor: Actor) -> None:
    ids = [number(each) for each in request.POST.getlist("approval")]
    verdict, comment = request.POST.get("act", ""), request.POST.get("comment", "")

    def act() -> None:
        outcomes = deciding.decide_many(actor, ids, verdict, comment=comment)
        if problems := [each.problem for each in outcomes if each.problem]:
            raise Conflict(f"{len(outcomes) - len(problems)} of {len(outcomes)} decided. {problems[0]}")

    attempt(request, act, f"{DONE.get(verdict, '')} {len(ids)} decided.".strip())


def _next(request: HttpRequest) -> str:
    """Return where the form asked to go back to, if it is a page of ours."""
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""
