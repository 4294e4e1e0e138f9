"""What a line of the table says, and which answer follows from it for whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Role
from tests.matrix.world import NOBODY, STRANGER, SUPERUSER, World

MEMBER, MODERATOR, ADMIN, OWNER = Role.MEMBER, Role.MODERATOR, Role.ADMIN, Role.OWNER

Body = Callable[[World], Any]


@dataclass(frozen=True)
class Operation:
    """`ok` for those of at least `lowest`, 403 below and for a token without `scope`; 401 for nobody.

    `stranger` is what another organization's owner gets; 404 unless it touches none of our rows.
    `participants`: who does not take part gets 404, whatever the role. `owned`: as `participants`, but not
    for administrators. `query` follows the address. A superuser who is a member of nothing has no
    organization to ask in: 404.
    """

    scope: str = ""
    ok: int = 200
    lowest: Role = MEMBER
    stranger: int = 404
    body: Body | None = None
    participants: bool = False
    owned: bool = False
    query: str = ""


def api_status(rule: Operation, who: str) -> int:
    if not rule.scope:
        return rule.ok
    if who == NOBODY:
        return 401
    if who == SUPERUSER:
        return 404
    if who == STRANGER:
        return rule.stranger
    if Role(who).level < rule.lowest.level:
        return 403
    if (rule.participants and who != "member") or (rule.owned and who == "moderator"):
        return 404
    return rule.ok


def nothing(world: World) -> dict[str, Any]:
    return {}


def read(scope: str, *, lowest: Role = MEMBER, participants: bool = False) -> Operation:
    """One row, which strangers do not find."""
    return Operation(scope, lowest=lowest, participants=participants)


def list_of(scope: str, *, lowest: Role = MEMBER) -> Operation:
    """One's own organization's rows; a stranger gets theirs."""
    return Operation(scope, lowest=lowest, stranger=200)


def taking_part(scope: str, ok: int = 200, body: Body | None = None) -> Operation:
    return Operation(scope, ok, body=body, participants=True)


Sign = Callable[[World], bool]


@dataclass(frozen=True)
class Page:
    """200 for those of at least `lowest` (403 below), to the sign-in page for nobody.

    `ours`: the address names one of acme's rows, so a stranger gets 404. `participants`: so does everyone who
    does not take part. `ok` is 405 where only acts answer.
    """

    ok: int = 200
    lowest: Role = MEMBER
    ours: bool = False
    participants: bool = False
    acts: bool = False


def page_status(rule: Page, who: str) -> int:
    if rule.ok == 405:
        return 405
    if who == NOBODY:
        return 302
    if who == SUPERUSER:
        return 403
    if who == STRANGER:
        return 404 if rule.ours or rule.participants else rule.ok
    if Role(who).level < rule.lowest.level:
        return 403
    return 404 if rule.participants and who != "member" else rule.ok


@dataclass(frozen=True)
class Act:
    """What a form of a page does. `happened` holds afterwards for those who may, and for nobody else.

    The page's own rule comes first; those whom it lets in and who may not get `refused`. Of acme's rows a
    stranger changes none: `stranger` is what they get where the page's address names no row.
    """

    page: str
    name: str
    form: Callable[[World], dict[str, Any]]
    happened: Sign
    ok: int = 302
    lowest: Role = MEMBER
    refused: int = 302
    stranger: int = 302
    owned: bool = False
    participants: bool = False


def act_status(act: Act, rule: Page, who: str) -> tuple[int, bool]:
    """Return the status and whether it happens; `rule` is that of the act's page."""
    if who == NOBODY:
        return 302, False
    if who == SUPERUSER:
        return 403, False
    if who == STRANGER:
        return 404 if rule.ours or rule.participants else act.stranger, False
    if Role(who).level < rule.lowest.level:
        return 403, False
    if rule.participants and who != "member":
        return 404, False
    left_out = (act.owned and who == "moderator") or (act.participants and who != "member")
    if Role(who).level < act.lowest.level or left_out:
        return act.refused, False
    return act.ok, True


def ours(model: Any, **wanted: Any) -> Sign:
    """Say whether acme has such a row; a value in braces names one of the world's."""

    def happened(world: World) -> bool:
        named = {
            key: world.values[value[1:-1]] if str(value).startswith("{") else value
            for key, value in wanted.items()
        }
        return bool(model.objects.filter(organization=world.acme.organization, **named).exists())

    return happened


def gone(model: Any, **wanted: Any) -> Sign:
    found = ours(model, **wanted)
    return lambda world: not found(world)


def form(**fields: Any) -> Callable[[World], dict[str, Any]]:
    def fill(world: World) -> dict[str, Any]:
        return {
            key: world.values[value[1:-1]] if str(value).startswith("{") else value
            for key, value in fields.items()
        }

    return fill


@dataclass(frozen=True)
class Rows:
    """What administrators may do with a model's rows; a superuser may as well. Nobody else reaches any.

    `hidden` leaves the rows, and `fixed` the changes, to superusers. `held` rows are in use by other rows,
    so that deleting them is refused.
    """

    add: bool = False
    change: bool = False
    delete: bool = False
    hidden: bool = False
    fixed: bool = False
    held: bool = False


def admin_status(rule: Rows, who: str, page: str) -> set[int]:
    """Return the statuses that are right for acme's row.

    A form that is let in answers 200 with what is missing or 302 when it was saved. A row that is not theirs
    is for a stranger like one that is not there, which the admin answers with 302 to its front page.
    """
    if who in (NOBODY, "member"):
        return {302}
    verb = page.removeprefix("post ")
    if who == "moderator" or (rule.hidden and who != SUPERUSER):
        return {302, 403} if verb == "history" else {403}
    may_write = who == SUPERUSER or not rule.fixed
    allowed = {"add": rule.add, "change": rule.change, "delete": rule.delete}
    if page != "change" and verb in allowed and not (allowed[verb] and may_write):
        return {403}
    if who == STRANGER and verb in ("change", "delete", "history"):
        return {302}
    if page == "post delete" and rule.held:
        return {403}
    return {200, 302} if page.startswith("post ") else {200}


SEEN = Rows()
EDITED = Rows(add=True, change=True, delete=True)
HELD = Rows(add=True, change=True, delete=True, held=True)
HIDDEN = Rows(hidden=True)
OTHERS = Rows(add=True, change=True, delete=True, hidden=True)
