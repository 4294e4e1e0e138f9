"""Reads. A question is for those who take part in its conversation."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from accounts.actor import Actor
from accounts.errors import NotFound
from agents.models import Question
from messaging.queries import conversations_of


def questions_of(actor: Actor) -> QuerySet[Question]:
    return Question.objects.filter(
        organization=actor.organization, conversation__in=conversations_of(actor)
    ).select_related("answered_by", "run__agent", "conversation")


def get_question(actor: Actor, question_id: int) -> Question:
    question = questions_of(actor).filter(pk=question_id).first()
    if question is None:
        raise NotFound("There is no such question.")
    return question


def list_questions(
    actor: Actor,
    *,
    state: str | None = None,
    conversation_id: int | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> list[Question]:
    """Return questions, newest first."""
    rows = questions_of(actor)
    if state:
        rows = rows.filter(state=state)
    if conversation_id is not None:
        rows = rows.filter(conversation_id=conversation_id)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return list(rows.order_by("-pk")[:limit])


def by_message(message_ids: Iterable[int]) -> dict[int, Question]:
    """Return the questions that these messages put, by message."""
    rows = Question.objects.filter(message_id__in=list(message_ids)).select_related(
        "answered_by", "run__agent"
    )
    return {row.message_id: row for row in rows if row.message_id is not None}
