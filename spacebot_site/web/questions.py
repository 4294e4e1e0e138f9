"""Answering what an agent asked: as a page, and the part of it that stands in the chat."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.actor import Actor
from agents.questions import queries, services
from spacebot_site.web.door import page
from spacebot_site.web.forms import attempt, number
from spacebot_site.web.question_parts import question_card


@page()
def one(request: HttpRequest, actor: Actor, question_id: int) -> HttpResponse:
    question = queries.get_question(actor, question_id)
    if request.method == "POST":
        own = "own" in request.POST
        numbers = [] if own else [number(each) for each in request.POST.getlist("number")]
        text = request.POST.get("text", "") if own else ""
        answered = attempt(
            request, lambda: services.answer(actor, question.pk, numbers=numbers, text=text), "Answered."
        )
        if answered:
            return redirect("conversation", conversation_id=question.conversation_id)
        return redirect("question", question_id=question.pk)
    shown = {"shown": question_card(question), "question": question}
    template = "chat/question.html" if request.GET.get("part") == "card" else "chat/question_page.html"
    return render(request, template, shown)
