"""The way into a page: signed in, in an organization, with what was refused turned into a friendly page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.actor import Actor, actor_for
from accounts.auth import SESSION_KEY
from accounts.errors import Forbidden, NotFound
from accounts.models import Membership, Role, User
from accounts.queries import list_memberships
from realtime.models import EventCounter

P = ParamSpec("P")
M = TypeVar("M", bound=Membership)
View = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]
LAST_EVENT = Coalesce(
    Subquery(EventCounter.objects.filter(pk=OuterRef("organization_id")).values("last_number")), 0
)


def page(*, level: Role = Role.MEMBER) -> Callable[[View[P]], Page[P]]:
    """Make a view of (request, actor, …) out of one for signed-in members of at least `level`."""

    def wrap(view: View[P]) -> Page[P]:
        @require_http_methods(["GET", "HEAD", "POST"])
        @login_required
        @wraps(view)
        def inner(request: HttpRequest, /, *args: P.args, **named: P.kwargs) -> HttpResponse:
            assert isinstance(request.user, User)
            if _holds_nul(request):
                raise BadRequest("A field holds a NUL character, which cannot be stored.")
            # The page listens from this event on, so it is read before anything that the page shows.
            memberships = list(list_memberships(request.user).annotate(last_event=LAST_EVENT))
            if not memberships:
                return render(request, "errors/no_organization.html", status=403)
            chosen = _chosen(memberships, request.session.get(SESSION_KEY))
            actor = actor_for(chosen)
            request.frame = (actor, memberships, chosen.last_event)  # type: ignore[attr-defined]
            try:
                actor.check_level(level)
                return view(request, actor, *args, **named)
            except NotFound as error:
                raise Http404(str(error)) from error
            except Forbidden as error:
                return render(request, "errors/denied.html", {"reason": str(error)}, status=403)

        return inner

    return wrap


def _holds_nul(request: HttpRequest) -> bool:
    """No keyboard types one, and PostgreSQL takes none."""
    sent = [*request.GET.lists(), *request.POST.lists()]
    return any("\x00" in value for _, values in sent for value in values)


def _chosen(memberships: list[M], organization_id: Any) -> M:
    return next((each for each in memberships if each.organization_id == organization_id), memberships[0])


def wants_fragment(request: HttpRequest) -> bool:
    """Tell whether a script asks for a part to put into a page it shows already."""
    return request.headers.get("X-Fragment") == "1"
