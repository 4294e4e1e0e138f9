"""Asking, answering, expiring and taking back. The first answer counts; every other is told so.

The order of locks is conversation, run, question. Whoever asks or answers holds the conversation's row, because a message is
written there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict, InvalidInput
from accounts.models import Person
from accounts.services.people import person_for_user
from agents.engine import wakeups
from agents.models import Question, QuestionState, Report, Run, RunState
from agents.questions import queries, words
from messaging.models import Conversation, ConversationKind, Handling, Message
from messaging.services.messages import append_inbound, mark_handled
from messaging.text import check_text
from realtime.services import NewEvent, record, unit_of_work

LIFE = timedelta(days=7)
MOST_OPEN = 10
FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
AT_ONCE = 100
CLOSED = {
    QuestionState.ANSWERED: "Somebody has answered this already.",
    QuestionState.EXPIRED: "Nobody answered this in time; it is closed.",
    QuestionState.WITHDRAWN: "This was taken back; it needs no answer any more.",
}


def put(
    run: Run,
    message: Message,
    *,
    key: str,
    text: str,
    options: Sequence[words.Option],
    multi_select: bool,
    waits: bool,
) -> Question:
    """Store a question that `message` has just put; call it in the transaction that wrote the message."""
    question = Question.objects.create(
        organization_id=run.organization_id,
        conversation_id=message.conversation_id,
        run=run,
        message=message,
        key=key,
        text=text,
        options=list(options),
        multi_select=multi_select,
        waits=waits,
        expires_at=timezone.now() + LIFE,
    )
    _tell(question)
    return question


def answer(actor: Actor, question_id: int, *, numbers: Sequence[int] = (), text: str = "") -> Question:
    """Answer with options by their numbers, from 1, or in one's own words; the answer is said in the conversation.

    Raises NotFound for a conversation the actor is not in, Conflict when it is closed, InvalidInput for no or wrong choices.
    """
    found = queries.get_question(actor, question_id)
    given = _check(found, numbers, text)
    person = person_for_user(actor.organization, actor.user)
    with unit_of_work():
        wakeups.hold_conversation(found.conversation_id)
        if not _close(found, QuestionState.ANSWERED, answer=given, answered_by=person):
            found.refresh_from_db()
            raise Conflict(CLOSED.get(QuestionState(found.state), CLOSED[QuestionState.EXPIRED]))
        message, _ = append_inbound(
            found.conversation_id,
            person=person,
            author_name=person.display_name,
            text=words.answer_text(found.options, given),
            reply_to_id=found.message_id,
            metadata={"question_id": found.pk},
        )
        _hand_over(found, message)
        if not found.waits:
            conversation = Conversation.objects.get(pk=found.conversation_id)
            wakeups.ensure_channel_run(conversation, user_id=actor.user.pk, person_id=person.pk)
    return found


def _check(question: Question, numbers: Sequence[int], text: str) -> dict[str, Any]:
    if numbers and text.strip():
        raise InvalidInput("Choose, or answer in your own words; not both.", field="text")
    if text.strip():
        text = check_text(text.strip())
        places = words.choices_in(text, question.options, multi_select=question.multi_select)
        return {"choices": places} if places else {"text": text}
    chosen = sorted(set(numbers))
    if not chosen:
        raise InvalidInput("Choose an option.", field="numbers")
    if chosen[0] < 1 or chosen[-1] > len(question.options):
        raise InvalidInput("There is no such option.", field="numbers")
    if len(chosen) > 1 and not question.multi_select:
        raise InvalidInput("Choose one option.", field="numbers")
    return {"choices": [number - 1 for number in chosen]}


def answer_by_message(conversation: Conversation, message: Message, person: Person | None) -> Question | None:
    """Take a message that was just stored as the answer to an open question, if it is one; return the question.

    It is one when it replies to the question, when it names an option of the newest one, or, in private, when it is the
    first thing said after a question of the channel itself. Other words may mean anything, and are left to the channel.
    """
    for question in (
        Question.objects.filter(conversation_id=conversation.pk, state=QuestionState.OPEN)
        .select_related("message")
        .order_by("-pk")[:MOST_OPEN]
    ):
        given = _typed(conversation, message, question)
        if given and _close(question, QuestionState.ANSWERED, answer=given, answered_by=person):
            _hand_over(question, message)
            return question
        if message.reply_to_id is None:
            return None
    return None


def _typed(conversation: Conversation, message: Message, question: Question) -> dict[str, Any] | None:
    replies = message.reply_to_id is not None
    if replies and message.reply_to_id != question.message_id:
        return None
    places = words.choices_in(message.text, question.options, multi_select=question.multi_select)
    if places:
        return {"choices": places}
    follows = question.message is not None and message.seq == question.message.seq + 1
    in_private = conversation.kind == ConversationKind.DM and follows and not question.waits
    return {"text": message.text} if replies or in_private else None


def _hand_over(question: Question, message: Message) -> None:
    """Note which message the answer is; if a run waits for it, it is that run's and not the channel's."""
    Question.objects.filter(pk=question.pk).update(answer_message=message)
    if question.waits:
        mark_handled([message.pk], handling=Handling.ANSWERED, run_id=question.run_id)


def expire_due() -> int:
    """Close what nobody answered in seven days, and tell who asked. Safe to run anywhere, at any time, twice."""
    due = Question.objects.filter(state=QuestionState.OPEN, expires_at__lte=timezone.now()).order_by(
        "expires_at"
    )
    count = 0
    for question in list(due[:AT_ONCE]):
        with unit_of_work():
            wakeups.hold_conversation(question.conversation_id)
            if _close(question, QuestionState.EXPIRED):
                count += 1
                if not question.waits:
                    _report(question)
    return count


def withdraw_of_run(run_id: int) -> int:
    """Take back what a run waits for; it has ended. The caller holds conversation and run."""
    waiting = Question.objects.filter(run_id=run_id, state=QuestionState.OPEN, waits=True)
    return sum(_close(question, QuestionState.WITHDRAWN) for question in list(waiting.order_by("pk")))


def _close(question: Question, state: QuestionState, **values: Any) -> bool:
    """Close an open question and wake the run that waits for it; False if somebody was faster.

    The caller holds the conversation.
    """
    run = Run.objects.select_for_update(of=("self",)).get(pk=question.run_id) if question.waits else None
    values |= {"state": state, "closed_at": timezone.now()}
    rows = Question.objects.filter(pk=question.pk, state=QuestionState.OPEN)
    if state == QuestionState.ANSWERED:
        rows = rows.filter(expires_at__gt=timezone.now())
    if not rows.update(**values):
        return False
    for name, value in values.items():
        setattr(question, name, value)
    _tell(question)
    if run is not None and run.state == RunState.WAITING and run.waiting_for and not run.cancel_requested_at:
        wakeups.requeue(run)
    return True


def _report(question: Question) -> None:
    """Tell the conversation's channel that a question of its own stayed open."""
    run = Run.objects.get(pk=question.run_id)
    Report.objects.create(
        organization_id=question.organization_id,
        conversation_id=question.conversation_id,
        run=run,
        number=run.reports.count(),
        outcome="failed",
        text=f"Nobody answered “{question.text}” in time; it is closed.",
    )
    wakeups.ensure_channel_run(
        Conversation.objects.get(pk=question.conversation_id),
        delay_s=wakeups.REPORT_DEBOUNCE_S,
        user_id=run.requester_user_id,
        person_id=run.requester_person_id,
    )


def _tell(question: Question) -> None:
    payload = {
        "question": {"id": question.pk, "message_id": question.message_id, "state": str(question.state)}
    }
    record(question.organization_id, NewEvent("question.changed", payload, question.conversation_id))
