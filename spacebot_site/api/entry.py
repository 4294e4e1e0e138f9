"""The short way in for API requests: past everything that only pages need.

A page's request passes ten middlewares, most of them one thread hop each under ASGI. The API needs none of
them but the session, so that a synchronous operation costs one hop and an asynchronous one only those it asks
for itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils.functional import SimpleLazyObject

from realtime.threads import in_thread
from spacebot_site.api.problems import problem
from spacebot_site.web.security import EVERYWHERE

PREFIX = "/api/"
HEADERS = {
    **EVERYWHERE,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
}

Handler = Callable[[HttpRequest], "HttpResponseBase | Awaitable[HttpResponseBase]"]


class ApiEntry:
    """Answers what lies under /api/ itself; hands everything else on. The first middleware."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        return self._answer_later(request) if self._is_async else self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        view = _open(request)
        if isinstance(view, HttpResponseBase):
            return _finish(view)
        called = async_to_sync(view) if iscoroutinefunction(view) else view
        return _finish(_called(request, called))

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        view = _open(request)
        if isinstance(view, HttpResponseBase):
            return _finish(view)
        if not iscoroutinefunction(view):
            return _finish(await in_thread(_called, request, view))
        match = request.resolver_match
        assert match is not None
        return _finish(await view(request, *match.args, **match.kwargs))


class ApiHandler(ASGIHandler):
    """Django's handler for ASGI with `ApiEntry` alone before the views.

    In the chain of the pages a synchronous middleware stands further in, and Django then makes all of it
    synchronous, so that each request of the API would hop from loop to thread to loop.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._middleware_chain = convert_exception_to_response(ApiEntry(_no_page))


async def _no_page(request: HttpRequest) -> HttpResponseBase:
    return problem(404, "There is no such address.")


def _open(request: HttpRequest) -> Callable[..., HttpResponseBase] | HttpResponseBase:
    """Return the view for the request, with session and user in place, or the answer where there is none."""
    try:
        request.get_host()
        match = request.resolver_match = resolve(request.path_info)
    except DisallowedHost:
        return problem(400, "This host is not served here.")
    except Http404:
        return problem(404, "There is no such address.")
    if "\x00" in request.path_info:
        return problem(404, "There is no such address.")
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = SimpleLazyObject(lambda: get_user(request))  # type: ignore[assignment]
    view: Callable[..., HttpResponseBase] = match.func
    return view


def _called(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> HttpResponseBase:
    match = request.resolver_match
    assert match is not None
    return view(request, *match.args, **match.kwargs)


def _finish(response: HttpResponseBase) -> HttpResponseBase:
    if response.status_code == 405 and response.get("Content-Type") != "application/problem+json":
        allowed = response.get("Allow", "")
        response = problem(405, f"This address answers to {allowed}.")
        response["Allow"] = allowed
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
