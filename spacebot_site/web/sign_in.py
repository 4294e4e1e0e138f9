"""The one-time sign-in link, and the closed door for strangers."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.errors import LinkUnusable
from accounts.services.links import check_sign_in_link, use_sign_in_link

BACKEND = "django.contrib.auth.backends.ModelBackend"


class ClosedSignUp(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody makes an account for themselves; members are added by an organization's administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def closed(request: HttpRequest) -> HttpResponse:
    """Stand before the page where people give themselves addresses.

    Members are added by their address, so whoever could claim one unproven would get what is meant for its owner.
    """
    raise Http404


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, raw: str) -> HttpResponse:
    """Ask before the link is used up: mail and chat programs open links to preview them."""
    try:
        if request.method != "POST":
            return render(request, "sign_in/confirm.html", {"signs_in": check_sign_in_link(raw)})
        user = use_sign_in_link(raw)
    except LinkUnusable as error:
        return render(request, "sign_in/unusable.html", {"error": error}, status=410)
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL))
