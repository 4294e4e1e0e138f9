"""The door for webhooks: a request from outside wakes an agent. The token in its address opens it; nobody signs in."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from accounts.api_basics import client_address
from accounts.errors import AccountsError, NotFound
from accounts.rate_limits import check_rate
from spacebot_site.api.problems import known, problem
from tasks.services.wakes.webhooks import MOST_BYTES, SIGNATURE_HEADERS, receive

TOKEN = re.compile(r"/hooks/[^/\s?]+")
LOGGERS = ("django.request", "django.server", "uvicorn.access")


@csrf_exempt
@never_cache
def hook(request: HttpRequest, token: str) -> HttpResponse:
    """Keep what was sent: 202. Else a problem document: 403, 404, 405, 409, 413, 429."""
    if request.method != "POST":
        refused = problem(405, "This address answers to POST.")
        refused["Allow"] = "POST"
        return refused
    try:
        receive(token, request.read(MOST_BYTES + 1), signature=_signature(request))
    except NotFound as error:
        return _unknown(request, error)
    except AccountsError as error:
        return known(error)
    return HttpResponse(status=202)


def _signature(request: HttpRequest) -> str:
    return next((request.headers[name] for name in SIGNATURE_HEADERS if name in request.headers), "")


def _unknown(request: HttpRequest, error: NotFound) -> HttpResponse:
    """Let nobody try address after address."""
    try:
        check_rate(f"hook:{client_address(request)}", limit=settings.SPACEBOT_RATE_ANONYMOUS)
    except AccountsError as refusal:
        return known(refusal)
    return known(error)


class HideTokens(logging.Filter):
    """Leaves out of log lines what opens a webhook."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _hidden(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_hidden(each) for each in record.args)
        return True


def _hidden(value: Any) -> Any:
    return TOKEN.sub("/hooks/…", value) if isinstance(value, str) else value


def hide_tokens() -> None:
    """Filter every logger that writes addresses."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(HideTokens())
