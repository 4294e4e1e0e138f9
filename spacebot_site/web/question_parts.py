"""How a question stands at the message that put it."""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from typing import Any

from django.utils.html import strip_tags

from accounts.actor import Actor
from agents.models import Question, QuestionState
from agents.questions import queries
from messaging.markdown import render
from messaging.models import Message


def questions_at(messages: Iterable[Message]) -> dict[int, dict[str, Any]]:
    """Return the questions that these messages put, by message; no query where none did."""
    asking = [message.pk for message in messages if message.metadata.get("asks")]
    found = queries.by_message(asking) if asking else {}
    return {message_id: question_card(question) for message_id, question in found.items()}


def open_questions(actor: Actor, *, most: int) -> list[tuple[Question, str]]:
    """Return what waits for an answer where the actor takes part, each with its words on one line, without markup."""
    found = queries.list_questions(actor, state=QuestionState.OPEN, limit=most)
    return [(each, " ".join(unescape(strip_tags(render(each.text))).split())) for each in found]


def question_card(question: Question) -> dict[str, Any]:
    chosen = question.answer.get("choices", ())
    return {
        "question": question,
        "html": render(question.text),
        "options": [
            {**option, "number": place + 1, "chosen": place in chosen}
            for place, option in enumerate(question.options)
        ],
        "own_words": question.answer.get("text", ""),
        "by": question.answered_by.display_name if question.answered_by else "",
    }
