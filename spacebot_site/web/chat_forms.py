"""What is changed about a conversation: begun, renamed, put away, its people, its model."""

from __future__ import annotations

from django.contrib import messages as notices
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.actor import Actor
from accounts.errors import AccountsError, InvalidInput
from accounts.queries import list_members
from agents.queries import get_agent, list_agents
from agents.services.conversation_settings import choose_model
from llm.queries import list_models
from messaging.models import Conversation, ConversationKind
from messaging.queries import get_conversation, list_participants
from messaging.services import conversations as services
from spacebot_site.web.door import page
from spacebot_site.web.forms import dialog, number


@page()
def new(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the form for a new conversation, or start it."""
    problem = ""
    if request.method == "POST":
        try:
            started = _start(request, actor)
        except AccountsError as error:
            problem = str(error)
        else:
            return redirect("conversation", conversation_id=started.pk)
    shown = {
        "agents": [agent for agent in list_agents(actor) if agent.enabled],
        "people": [member for member in list_members(actor) if member.user_id != actor.user.pk],
        "problem": problem,
        "values": request.POST,
    }
    return dialog(request, "chat/new_form.html", "New conversation", shown)


def _start(request: HttpRequest, actor: Actor) -> Conversation:
    agent_id = number(request.POST.get("agent"))
    if not agent_id:
        raise InvalidInput("Choose an agent.", field="agent")
    get_agent(actor, agent_id)
    people = [number(each) for each in request.POST.getlist("people")]
    return services.start_conversation(
        actor,
        agent_id=agent_id,
        kind=ConversationKind.GROUP if people or request.POST.get("kind") == "group" else ConversationKind.DM,
        title=request.POST.get("title", "").strip(),
        user_ids=people,
    )


@page()
def rename(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    if request.method == "POST":
        try:
            services.rename(actor, found.pk, title=request.POST.get("title", "").strip())
        except AccountsError as error:
            notices.error(request, str(error))
        return redirect("conversation", conversation_id=found.pk)
    return dialog(request, "chat/rename_form.html", "Rename conversation", {"conversation": found})


@require_POST
@page()
def archive(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    found = get_conversation(actor, conversation_id)
    if found.archived_at:
        services.unarchive(actor, found.pk)
        return redirect("conversation", conversation_id=found.pk)
    services.archive(actor, found.pk)
    return redirect("chat")


@page()
def people(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    """Show who takes part in a shared conversation; let people in, take them out, or leave."""
    found = get_conversation(actor, conversation_id)
    if request.method == "POST":
        try:
            left = _change_people(request, actor, found)
        except AccountsError as error:
            notices.error(request, str(error))
            left = False
        return redirect("chat") if left else redirect("conversation", conversation_id=found.pk)
    inside = list_participants(actor, found)
    known = {each.person.user_id for each in inside}
    shown = {
        "conversation": found,
        "inside": inside,
        "outside": [member for member in list_members(actor) if member.user_id not in known],
        "began_it": found.created_by_id == actor.user.pk,
        "shared": found.kind == ConversationKind.GROUP,
    }
    return dialog(request, "chat/people_form.html", "People", shown)


def _change_people(request: HttpRequest, actor: Actor, found: Conversation) -> bool:
    """Do what the form asks; True when the actor left."""
    if request.POST.get("act") == "remove":
        user_id = number(request.POST.get("user"))
        services.remove_participant(actor, found.pk, user_id=user_id)
        return user_id == actor.user.pk
    for each in request.POST.getlist("people"):
        services.add_participant(actor, found.pk, user_id=number(each))
    return False


@page()
def model(request: HttpRequest, actor: Actor, conversation_id: int) -> HttpResponse:
    """Choose which model answers in this conversation."""
    found = get_conversation(actor, conversation_id)
    if request.method == "POST":
        try:
            choose_model(actor, found.pk, model_id=number(request.POST.get("model")) or None)
        except AccountsError as error:
            notices.error(request, str(error))
        return redirect("conversation", conversation_id=found.pk)
    entries = list_models(actor).filter(enabled=True, provider__enabled=True)
    shown = {"conversation": found, "entries": entries, "chosen": found.settings.get("model")}
    return dialog(request, "chat/model_form.html", "Model", shown)
