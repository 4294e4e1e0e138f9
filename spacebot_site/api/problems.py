"""One shape for every error: `application/problem+json`."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from accounts.api_basics import NotSignedIn
from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.rate_limits import TooManyRequests
from llm.errors import LLMError
from secret_store.errors import KeyUnavailable, VaultLocked
from spacebot_site.api.parsing import NotJson
from tasks.errors import TooLarge

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
STATUSES: dict[type[Exception], int] = {
    NotFound: 404,
    Http404: 404,
    Forbidden: 403,
    NotSignedIn: 401,
    InvalidInput: 422,
    Conflict: 409,
    TooManyRequests: 429,
    VaultLocked: 423,
    KeyUnavailable: 503,
    RequestDataTooBig: 413,
    TooLarge: 413,
    DisallowedHost: 400,
    LLMError: 502,
}


def problem(
    status: int, detail: str, *, field: str = "", extra: dict[str, Any] | None = None
) -> HttpResponse:
    """Return an error; `type` is stable for programs, `detail` is for people, `extra` are members of its own."""
    title = HTTPStatus(status).phrase
    body = {
        "type": f"urn:spacebot:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    if field:
        body["field"] = field
    response = HttpResponse(json.dumps(body), content_type=CONTENT_TYPE, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Make every error of the API answer in this shape."""
    for kind in STATUSES:
        api.add_exception_handler(kind, _known)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(HttpError, _http)
    api.add_exception_handler(Exception, _unexpected)


def _known(request: HttpRequest, error: Any) -> HttpResponse:
    return known(error)


def known(error: Any) -> HttpResponse:
    """Return the answer to an error that has a status of its own."""
    status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
    detail = str(error) or {404: "There is no such thing."}.get(status, "")
    if isinstance(error, RequestDataTooBig):
        detail = "The request is too large."
    response = problem(status, detail, field=getattr(error, "field", ""), extra=getattr(error, "extra", None))
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    first = error.errors[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    if place and place[0] == "body":
        place = place[1:]
    field = ".".join(place)
    message = first["msg"].removeprefix("Value error, ")
    return problem(422, f"{field}: {message}" if field else message, field=field)


def _http(request: HttpRequest, error: Any) -> HttpResponse:
    if isinstance(error.__cause__, NotJson):
        return problem(415, "Send JSON: Content-Type: application/json.")
    if error.status_code == 400:
        return problem(400, "The body is not valid JSON, with each name once in an object.")
    return problem(error.status_code, error.message)


def _unexpected(request: HttpRequest, error: Any) -> HttpResponse:
    logger.exception("%s %s failed", request.method, request.path, exc_info=error)
    return problem(500, "Something went wrong on our side. It has been logged.")
