"""Approvals and grants in plain words."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Role
from agents.models import Agent
from tasks.models import Approval, ApprovalState, Grant
from tasks.queries.approvals import OWN_KINDS
from tasks.services.approvals.deciders import decidable_ids
from tasks.services.approvals.kinds import executor_for
from tasks.services.approvals.sight import is_unseen, visible

HOUR_S = 3_600
ENDS = (
    (HOUR_S, "an hour"),
    (24 * HOUR_S, "a day"),
    (7 * 24 * HOUR_S, "a week"),
    (30 * 24 * HOUR_S, "30 days"),
)
LOOK = {
    ApprovalState.OPEN: ("Waiting", "badge-accent"),
    ApprovalState.ASKED_BACK: ("Asked back", "badge-warn"),
    ApprovalState.APPROVED: ("Approved, not run yet", "badge-accent"),
    ApprovalState.REJECTED: ("Rejected", "badge-bad"),
    ApprovalState.EXPIRED: ("Expired", "badge"),
    ApprovalState.WITHDRAWN: ("Taken back", "badge"),
    ApprovalState.EXECUTED: ("Approved and run", "badge-good"),
    ApprovalState.FAILED: ("Approved, not run", "badge-bad"),
}
SHORT = 80
LOOKALIKE = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


@dataclass(frozen=True)
class Row:
    """An approval as lists show it; `at_once`: it may be approved from there, as the line tells it and nothing in it
    deceives the eye."""

    approval: Approval
    kind: str
    icon: str
    agent: str
    asked_by: str
    state: str
    look: str
    may_decide: bool
    at_once: bool
    who_decides: str


@dataclass(frozen=True)
class GrantRow:
    grant: Grant
    agent: str
    where: str
    what: str
    state: str
    may_revoke: bool


@dataclass(frozen=True)
class ShownAction:
    """The exact action: each argument, the whole as it is digested, and what could deceive the eye."""

    arguments: list[tuple[str, str, bool]]
    exact: str
    odd: list[str]


def describe(actor: Actor, approvals: Iterable[Approval], agents: dict[int, Agent]) -> list[Row]:
    found = list(approvals)
    mine = decidable_ids(actor, found)
    return [_row(approval, agents, may_decide=approval.pk in mine) for approval in found]


def _row(approval: Approval, agents: dict[int, Agent], *, may_decide: bool) -> Row:
    executor = executor_for(approval.kind)
    words, look = _look(approval)
    agent = agents.get(approval.agent_id or 0)
    asked_by = approval.requester_user or approval.requester_person
    return Row(
        approval=approval,
        kind=executor.label,
        icon=executor.icon,
        agent=agent.name if agent else "",
        asked_by=str(asked_by) if asked_by else "",
        state=words,
        look=look,
        may_decide=may_decide,
        at_once=may_decide and not odd_characters(approval.action) and _is_told(approval),
        who_decides=_who_decides(approval),
    )


def _look(approval: Approval) -> tuple[str, str]:
    words, look = LOOK[ApprovalState(approval.state)]
    if approval.is_proposal and approval.state == ApprovalState.EXECUTED:
        return "Approved", look
    return words, look


def place_of(approval: Approval) -> tuple[str, str] | None:
    """Return what was proposed as a link: its address and words for it."""
    if approval.task is not None:
        return reverse("task", args=[approval.task.number]), f"Task #{approval.task.number}"
    if approval.goal_id is not None:
        return reverse("goal", args=[approval.goal_id]), "Open the goal"
    if approval.schedule_id is not None:
        return reverse("schedule", args=[approval.schedule_id]), "Open the schedule"
    return None


def _who_decides(approval: Approval) -> str:
    if approval.kind in OWN_KINDS and not approval.ruled and approval.requester_user_id is not None:
        return "Whoever asked, or a moderator"
    role = Role(approval.minimum_role)
    people = "Any member here" if role == Role.MEMBER else f"{role.label} or higher"
    if approval.needed > 1:
        people = f"{approval.needed} people: {people[0].lower()}{people[1:]}"
    return f"{people}, but not who asked" if approval.four_eyes else people


def describe_grant(actor: Actor, grant: Grant, agents: dict[int, Agent]) -> GrantRow:
    agent = agents.get(grant.agent_id)
    usable = grant.revoked_at is None and grant.ends_at > timezone.now() and grant.uses_left != 0
    state = "Holds" if usable else "Revoked" if grant.revoked_at else "Ended"
    return GrantRow(
        grant=grant,
        agent=agent.name if agent else "an agent that is gone",
        where="Everywhere" if grant.conversation_id is None else _conversation(grant),
        what=_constraint(grant.constraint),
        state=state,
        may_revoke=usable and (grant.given_by_id == actor.user.pk or actor.has_level(Role.MODERATOR)),
    )


def _conversation(grant: Grant) -> str:
    assert grant.conversation is not None
    return f"In conversation {grant.conversation_id}"


def _constraint(constraint: dict[str, Any]) -> str:
    parts = [
        f"{name} below {condition['under']}"
        if "under" in condition
        else f"{name} is {_short(condition.get('is'))}"
        for name, condition in constraint.items()
    ]
    return "; ".join(parts) or "any arguments"


def shown_action(approval: Approval) -> ShownAction:
    """Lay the action open. Arguments that are short enough to recognise are offered to be kept in a grant."""
    arguments = approval.action.get("arguments", {}) if isinstance(approval.action, dict) else {}
    exact = json.dumps(approval.action, indent=2, sort_keys=True, ensure_ascii=True)
    listed = [(name, _short(value), len(str(value)) <= SHORT) for name, value in arguments.items()]
    return ShownAction(listed, exact, odd_characters(approval.action))


def odd_characters(value: Any) -> list[str]:
    """Name what could deceive the eye: characters that cannot be seen, and words of mixed alphabets."""
    text = "\n".join(_texts(value)).replace("\r\n", "\n")
    odd = {each for each in text if is_unseen(each) or _is_odd_space(each) or _is_dressed_up(each)}
    odd |= {each for word in re.findall(r"\w+", text) for each in _foreign_letters(word)}
    if unicodedata.normalize("NFC", text) != text:
        odd |= {each for each in text if unicodedata.combining(each)}
    return [f"U+{ord(each):04X} {unicodedata.name(each, 'unnamed').lower()}" for each in sorted(odd)[:12]]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from (name, *_texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)


def _is_dressed_up(character: str) -> bool:
    """Say whether it is a plain letter or sign in another form: full-width, mathematical, or one that stands for it."""
    plain = unicodedata.normalize("NFKC", character)
    return character > "\x7f" and len(plain) == 1 and "!" <= plain <= "~"


def _is_told(approval: Approval) -> bool:
    """Say whether a list may offer it unread: a command has to stand in the title whole, with nothing beside it."""
    arguments = approval.action.get("arguments") if isinstance(approval.action, dict) else None
    if not isinstance(arguments, dict) or not isinstance(command := arguments.get("command"), str):
        return True
    beside = arguments.get("folder") or arguments.get("environment")
    return not beside and approval.title.endswith(f": {command}")


def _is_odd_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs" and character != " "


def _foreign_letters(word: str) -> set[str]:
    """Return the letters of another alphabet in a word that has Latin ones; a whole word of it is just a word."""
    alphabets = {each: unicodedata.name(each, "").split(" ")[0] for each in word if each.isalpha()}
    if "LATIN" not in alphabets.values():
        return set()
    return {each for each, alphabet in alphabets.items() if alphabet in LOOKALIKE}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return visible(text if len(text) <= 2 * SHORT else f"{text[: 2 * SHORT]} …")
