"""Who belongs to the organization, and with what role."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from accounts.models import Role
from accounts.queries import list_members
from accounts.services import members as services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number

ROLES = {
    Role.OWNER: "everything, also other owners",
    Role.ADMIN: "members, agents, models, secrets",
    Role.MODERATOR: "conversations of the organization",
    Role.MEMBER: "talks to agents",
}


@page()
def index(request: HttpRequest, actor: Actor) -> HttpResponse:
    if request.method == "POST":
        _change(request, actor)
        return redirect("members")
    shown = [(role, f"{role.label} – {words}") for role, words in ROLES.items() if role.level <= actor.level]
    may_edit = actor.has_level(Role.ADMIN)
    return render(
        request,
        "settings/members.html",
        {"members": list_members(actor), "roles": shown, "may_edit": may_edit},
    )


def _change(request: HttpRequest, actor: Actor) -> None:
    form, user_id = request.POST, number(request.POST.get("user"))
    role = form.get("role", Role.MEMBER)
    if form.get("act") == "add":
        email = form.get("email", "").strip()
        name = form.get("name", "").strip()
        attempt(
            request,
            lambda: services.add_member(actor, email=email, role=role, name=name),
            f"{email} is a member now. Send them a sign-in link: ./spacebot manage sign_in_link {email}",
        )
    elif form.get("act") == "role":
        attempt(request, lambda: services.change_role(actor, user_id, role), "Role changed.")
    elif form.get("act") == "remove":
        attempt(request, lambda: services.remove_member(actor, user_id), "The member was removed.")
