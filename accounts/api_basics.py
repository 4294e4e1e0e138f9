"""What every package's `api.py` stands on: who asks, strict input, one shape for pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from ninja import Schema
from pydantic import ConfigDict, Field, model_validator

from accounts.actor import Actor
from accounts.auth import actor_for_request, bearer_token
from accounts.errors import AccountsError, Forbidden, InvalidInput
from accounts.rate_limits import check_rate

Item = TypeVar("Item")
Row = TypeVar("Row")

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Field(ge=1, le=100)]
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class _CsrfCheck(CsrfViewMiddleware):
    """Django's own check of token and origin, without the page it shows to people."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponseForbidden(reason)


class NotSignedIn(AccountsError):
    """Nobody known asks: neither a usable token nor a session."""


class Needs:
    """Lets in who has a scope; None lets in every signed-in member. Used as `auth=` of an operation."""

    openapi_type = "http"

    def __init__(self, scope: str | None) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor:
        return authenticate(request, self.scope)


def authenticate(request: HttpRequest, scope: str | None) -> Actor:
    """Return who asks. Raises NotSignedIn, Forbidden, NotFound or TooManyRequests."""
    if any("\x00" in value for values in request.GET.lists() for value in values[1]):
        raise InvalidInput("A parameter holds a NUL character.")
    by_token = bearer_token(request) is not None
    actor = actor_for_request(request)
    if actor is None:
        check_rate(f"ip:{client_address(request)}", limit=settings.SPACEBOT_RATE_ANONYMOUS)
        raise NotSignedIn("Sign in, or send a token: Authorization: Bearer …")
    who = f"token:{actor.token_id}" if actor.token_id else f"user:{actor.user.pk}"
    check_rate(who, limit=settings.SPACEBOT_RATE_SIGNED_IN)
    if not by_token and not _passes_csrf(request):
        raise Forbidden("The CSRF token is missing or wrong, or the origin is not trusted.")
    if scope is not None:
        actor.check_scope(scope)
    return actor


def _passes_csrf(request: HttpRequest) -> bool:
    if request.method in SAFE_METHODS:
        return True
    check = _CsrfCheck(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, HttpResponse, (), {}) is None


def client_address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor that `Needs` let in."""
    actor = request.auth  # type: ignore[attr-defined]
    assert isinstance(actor, Actor)
    return actor


class Strict(Schema):
    """Input: unknown fields are refused, and characters that cannot be stored."""

    model_config = ConfigDict(extra="forbid", strict=False)

    @model_validator(mode="before")
    @classmethod
    def _check_characters(cls, data: Any) -> Any:
        check_characters(getattr(data, "_obj", data))
        return data


def check_characters(value: Any) -> None:
    """Raise ValueError where a text holds NUL or half of a character."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("must not hold a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            check_characters(key)
            check_characters(item)
    elif isinstance(value, list):
        for item in value:
            check_characters(item)


class Page(Schema, Generic[Item]):
    """One page; `next` is the cursor of the page after it, null at the end."""

    items: list[Item]
    next: str | None = None


def page(
    rows: Iterable[Row], *, limit: int, payload: Callable[[Row], Any], cursor: Callable[[Row], Any]
) -> dict[str, Any]:
    """Make a page of up to `limit` of the rows, of which one more was asked for."""
    found = list(rows)
    shown = found[:limit]
    following = str(cursor(shown[-1])) if len(found) > limit else None
    return {"items": [payload(row) for row in shown], "next": following}


def read_cursor(cursor: str | None) -> int | None:
    """Return the number in a cursor. Raises InvalidInput for anything else."""
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise InvalidInput("This is no cursor of ours.", field="cursor")
    return int(cursor)
