"""Questions over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, page, read_cursor
from agents.models import Question
from agents.questions import queries, services

router = Router(tags=["questions"])


class OptionOut(Schema):
    number: int
    label: str
    description: str


class QuestionOut(Schema):
    """`chosen` are numbers of options; an answer in someone's own words is in `answer_text`."""

    id: int
    conversation_id: int
    message_id: int | None
    run_id: int
    text: str
    options: list[OptionOut]
    multi_select: bool
    state: Literal["open", "answered", "expired", "withdrawn"]
    chosen: list[int]
    answer_text: str
    answered_by_id: int | None
    answered_by_name: str
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None


class QuestionAnswerIn(Strict):
    """Numbers of options, one where only one may be chosen, or words of one's own."""

    numbers: Annotated[list[Annotated[int, Field(ge=1, le=10)]], Field(max_length=10)] = []
    text: str = Field(default="", max_length=20_000)


def question_payload(question: Question) -> dict[str, Any]:
    return {
        "id": question.pk,
        "conversation_id": question.conversation_id,
        "message_id": question.message_id,
        "run_id": question.run_id,
        "text": question.text,
        "options": [{"number": number, **option} for number, option in enumerate(question.options, start=1)],
        "multi_select": question.multi_select,
        "state": str(question.state),
        "chosen": [place + 1 for place in question.answer.get("choices", ())],
        "answer_text": question.answer.get("text", ""),
        "answered_by_id": question.answered_by_id,
        "answered_by_name": question.answered_by.display_name if question.answered_by else "",
        "created_at": question.created_at,
        "expires_at": question.expires_at,
        "closed_at": question.closed_at,
    }


@router.get("/questions", response=Page[QuestionOut], auth=Needs("conversations:read"))
def list_questions(
    request: HttpRequest,
    state: Literal["open", "answered", "expired", "withdrawn"] | None = None,
    conversation_id: Id | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """List what agents asked in conversations you take part in, newest first."""
    rows = queries.list_questions(
        actor_of(request),
        state=state,
        conversation_id=conversation_id,
        before_id=read_cursor(cursor),
        limit=limit + 1,
    )
    return page(rows, limit=limit, payload=question_payload, cursor=lambda row: row.pk)


@router.get("/questions/{question_id}", response=QuestionOut, auth=Needs("conversations:read"))
def get_question(request: HttpRequest, question_id: Id) -> dict[str, Any]:
    return question_payload(queries.get_question(actor_of(request), question_id))


@router.post("/questions/{question_id}/answer", response=QuestionOut, auth=Needs("conversations:write"))
def answer(request: HttpRequest, question_id: Id, body: QuestionAnswerIn) -> dict[str, Any]:
    """Answer a question; the first answer counts, and it is said in the conversation in your name."""
    actor = actor_of(request)
    return question_payload(services.answer(actor, question_id, numbers=body.numbers, text=body.text))
