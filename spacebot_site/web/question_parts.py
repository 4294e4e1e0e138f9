"""How a question stands at the message that put it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from agents.models import Question
from agents.questions import queries
from messaging.markdown import render
from messaging.models import Message


def questions_at(messages: Iterable[Message]) -> dict[int, dict[str, Any]]:
    """Return the questions that these messages put, by message; no query where none did."""
    asking = [message.pk for message in messages if message.metadata.get("asks")]
    found = queries.by_message(asking) if asking else {}
    return {message_id: question_card(question) for message_id, question in found.items()}


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
