"""Questions with options: who asks, who answers and how, who is told, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from agents.engine import recovery
from agents.models import CallState, Policy, Question, QuestionState, Run, RunState, ToolCall, ToolPolicy
from agents.questions import queries, services, words
from agents.services import policies
from agents.services.conversations import send_message
from agents.services.runs import cancel_run
from llm.clients.scripted import call, say
from messaging.models import Conversation, Handling, Message
from messaging.services.conversations import start_conversation
from tests.agents.conftest import Engine
from tests.agents.test_cron import fire, plan
from tests.factories import make_team

OPTIONS = [{"label": "Blue", "description": "calm"}, {"label": "Red"}, {"label": "Green"}]
ASK = call("ask", question="Which colour?", options=OPTIONS)
SEVERAL = call("ask", question="Which colours?", options=OPTIONS, multi_select=True)
DONE = call("set_outcome", status="done", summary="ok")


def asked_by_channel(engine: Engine, ask: Any = ASK) -> Question:
    """Let the channel ask at the first message and say what it heard at every later one."""
    engine.script(
        "channel",
        lambda request: ask if "please ask" in str(request.messages[-1]) else call("reply", content="heard"),
    )
    engine.say("please ask")
    engine.settle()
    return Question.objects.get()


def asked_by_worker(engine: Engine, *steps: Any) -> tuple[Run, Question]:
    engine.script(
        "channel",
        lambda request: (
            call("spawn_worker", task="do it") + call("reply", content="started")
            if "please do" in str(request.messages[-1])
            else call("reply", content="heard")
        ),
    )
    engine.script("worker", list(steps or (ASK, DONE)))
    engine.say("please do")
    engine.settle()
    return Run.objects.filter(kind="worker").latest("id"), Question.objects.get()


def heard(engine: Engine, process: str = "channel") -> str:
    return str(engine.models[process].requests[-1].messages[-1])


def test_a_channel_asks_and_its_turn_ends(engine: Engine) -> None:
    question = asked_by_channel(engine)
    assert (question.state, question.waits, question.text) == ("open", False, "Which colour?")
    assert question.message is not None
    assert question.message.text.splitlines()[2:5] == ["1. **Blue** – calm", "2. **Red**", "3. **Green**"]
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert abs(question.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)


def test_an_answer_is_said_in_the_answerers_name_and_the_channel_hears_it_once(engine: Engine) -> None:
    question = asked_by_channel(engine)
    services.answer(engine.team.member, question.pk, numbers=[2])
    question.refresh_from_db()
    person = Person.objects.get(user=engine.team.member.user)
    assert (question.state, question.answer, question.answered_by) == ("answered", {"choices": [1]}, person)
    said = Message.objects.get(pk=question.answer_message_id)
    assert (said.text, said.person, said.reply_to_id) == ("Red", person, question.message_id)
    asked = len(engine.models["channel"].requests)
    engine.settle()
    recovery.sweep()
    engine.settle()
    assert len(engine.models["channel"].requests) == asked + 1
    assert "Which colour?" in heard(engine)
    assert "Red" in heard(engine)
    said.refresh_from_db()
    assert said.handling == Handling.ANSWERED


def test_only_the_first_answer_counts(engine: Engine) -> None:
    question = asked_by_channel(engine)
    services.answer(engine.team.member, question.pk, numbers=[1])
    with pytest.raises(Conflict, match="answered this already"):
        services.answer(engine.team.member, question.pk, numbers=[2])
    question.refresh_from_db()
    assert question.answer == {"choices": [0]}
    assert Message.objects.filter(reply_to=question.message).count() == 1


@pytest.mark.parametrize(
    ("numbers", "text"), [([], ""), ([4], ""), ([1, 2], ""), ([1], "both"), ([], "   "), ([-1], "")]
)
def test_what_is_no_answer_is_refused_and_changes_nothing(
    engine: Engine, numbers: list[int], text: str
) -> None:
    question = asked_by_channel(engine)
    with pytest.raises(InvalidInput):
        services.answer(engine.team.member, question.pk, numbers=numbers, text=text)
    question.refresh_from_db()
    assert question.is_open


def test_who_is_not_in_the_conversation_neither_sees_nor_answers_it(engine: Engine) -> None:
    question = asked_by_channel(engine)
    for actor in (engine.team.owner, engine.team.moderator, make_team("third").owner):
        with pytest.raises(NotFound):
            services.answer(actor, question.pk, numbers=[1])
        assert queries.list_questions(actor) == []
    assert [each.pk for each in queries.list_questions(engine.team.member)] == [question.pk]


@pytest.mark.parametrize(("text", "choices"), [("2", [1]), ("red", [1]), ("3.", [2]), ("2. Red!", [1])])
def test_typed_words_that_name_an_option_choose_it(engine: Engine, text: str, choices: list[int]) -> None:
    question = asked_by_channel(engine)
    engine.say(text)
    question.refresh_from_db()
    assert question.answer == {"choices": choices}
    engine.settle()
    assert engine.replies()[-1] == "heard"


def test_other_words_after_a_question_in_private_are_an_answer_in_ones_own_words(engine: Engine) -> None:
    question = asked_by_channel(engine)
    engine.say("a dark purple")
    question.refresh_from_db()
    assert question.answer == {"text": "a dark purple"}


def test_several_can_be_chosen_where_that_was_asked(engine: Engine) -> None:
    question = asked_by_channel(engine, SEVERAL)
    engine.say("1 and green")
    question.refresh_from_db()
    assert question.answer == {"choices": [0, 2]}


def test_in_a_shared_conversation_only_replies_and_names_of_options_answer(engine: Engine) -> None:
    room = start_conversation(engine.team.member, agent_id=engine.team.agent.pk, kind="group", title="r")
    engine.conversation = room
    question = asked_by_channel(engine)
    engine.say("what time is it?")
    question.refresh_from_db()
    assert question.is_open
    engine.say("purple", reply_to_id=question.message_id)
    question.refresh_from_db()
    assert question.answer == {"text": "purple"}


def test_a_workers_question_lays_it_to_wait_and_its_answer_is_the_result(engine: Engine) -> None:
    worker, question = asked_by_worker(engine)
    assert (worker.state, worker.waiting_for, worker.lease_owner) == (RunState.WAITING, "question", "")
    assert question.waits
    assert ToolCall.objects.get(name="ask").state == CallState.WAITING
    asked = len(engine.models["channel"].requests)
    services.answer(engine.team.member, question.pk, numbers=[1])
    engine.settle_run(Run.objects.get(pk=worker.pk))
    worker.refresh_from_db()
    assert (worker.state, worker.waiting_for) == (RunState.SUCCEEDED, "")
    assert "answered: Blue" in heard(engine, "worker")
    # The channel hears of the report alone: the answer was for the worker.
    assert len(engine.models["channel"].requests) == asked + 1
    said = Message.objects.get(pk=Question.objects.get().answer_message_id)
    assert (said.handling, said.handled_by_run_id) == (Handling.ANSWERED, worker.pk)


def test_words_that_answer_nothing_go_to_the_channel_while_a_worker_waits(engine: Engine) -> None:
    worker, question = asked_by_worker(engine)
    engine.say("what time is it?")
    engine.settle()
    assert engine.replies()[-1] == "heard"
    worker.refresh_from_db()
    assert worker.state == RunState.WAITING
    engine.say("let me think: purple", reply_to_id=question.message_id)
    engine.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert "in their own words: let me think: purple" in heard(engine, "worker")


def test_calls_after_a_question_are_made_only_when_it_is_answered(engine: Engine) -> None:
    write = call("write_file", path="a", content="x")
    _, question = asked_by_worker(engine, ASK + write, DONE)
    assert not (engine.workspace / "a").exists()
    services.answer(engine.team.member, question.pk, numbers=[1])
    engine.settle()
    assert (engine.workspace / "a").read_text() == "x"


def test_two_questions_of_a_step_are_asked_one_after_the_other(engine: Engine) -> None:
    other = call("ask", question="And which size?", options=[{"label": "S"}, {"label": "L"}])
    worker, first = asked_by_worker(engine, ASK + other, DONE)
    services.answer(engine.team.member, first.pk, numbers=[1])
    engine.settle()
    second = Question.objects.exclude(pk=first.pk).get()
    services.answer(engine.team.member, second.pk, text="l")
    engine.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert [
        row.result.split(": ")[1] for row in ToolCall.objects.filter(name="ask").order_by("position")
    ] == ["Blue", "L"]


def test_what_nobody_answers_expires_and_whoever_asked_is_told(engine: Engine) -> None:
    worker, _ = asked_by_worker(engine)
    Question.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict):
        services.answer(engine.team.member, Question.objects.get().pk, numbers=[1])
    recovery.sweep()
    recovery.sweep()
    engine.settle()
    worker.refresh_from_db()
    assert Question.objects.get().state == QuestionState.EXPIRED
    assert worker.state == RunState.SUCCEEDED
    assert "Nobody answered in time" in heard(engine, "worker")


def test_a_channel_is_told_once_that_its_question_stayed_open(engine: Engine) -> None:
    question = asked_by_channel(engine)
    Question.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    recovery.sweep()
    recovery.sweep()
    engine.settle()
    assert engine.replies()[-1] == "heard"
    assert "Nobody answered" in heard(engine)
    with pytest.raises(Conflict, match="in time"):
        services.answer(engine.team.member, question.pk, numbers=[1])


def test_cancelling_a_worker_takes_its_question_back(engine: Engine) -> None:
    worker, question = asked_by_worker(engine)
    cancel_run(engine.team.member, worker.pk)
    question.refresh_from_db()
    assert question.state == QuestionState.WITHDRAWN
    with pytest.raises(Conflict, match="taken back"):
        services.answer(engine.team.member, question.pk, numbers=[1])


def test_a_question_lives_on_when_the_process_that_asked_dies(engine: Engine) -> None:
    worker, question = asked_by_worker(engine)
    Run.objects.filter(pk=worker.pk).update(
        state=RunState.RUNNING, lease_owner="gone", lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert engine.execute(Run.objects.get(pk=worker.pk))
    worker.refresh_from_db()
    assert (worker.state, Question.objects.count()) == (RunState.WAITING, 1)
    services.answer(engine.team.member, question.pk, numbers=[3])
    engine.settle()
    assert "answered: Green" in heard(engine, "worker")


def test_a_question_that_makes_no_sense_is_told_to_the_model(engine: Engine) -> None:
    twice = call("ask", question="Which?", options=[{"label": "a"}, {"label": "A"}])
    engine.script(
        "channel", [twice, call("ask", question="Which?", options=[{"label": "a"}]), say("I give up")]
    )
    engine.say("please ask")
    engine.settle()
    results = list(ToolCall.objects.order_by("pk").values_list("state", "result"))
    assert [state for state, _ in results] == [CallState.FAILED, CallState.FAILED]
    assert "same label" in results[0][1]
    assert not Question.objects.exists()


def test_no_more_is_asked_than_people_can_answer(engine: Engine) -> None:
    question = asked_by_channel(engine)
    for number in range(services.MOST_OPEN):
        question.pk, question.key = None, f"k{number}"
        question.save()
    engine.say("please ask")
    engine.settle()
    assert Question.objects.filter(state=QuestionState.OPEN).count() == services.MOST_OPEN
    assert "open here already" in ToolCall.objects.filter(name="ask", state=CallState.FAILED)[0].result


def test_asking_can_be_switched_off_but_not_asked_about(engine: Engine) -> None:
    with pytest.raises(InvalidInput, match="asks people by itself"):
        policies.set_policy(engine.team.owner, "ask", Policy.ASK)
    ToolPolicy.objects.create(organization=engine.team.organization, tool="ask", policy=Policy.DISABLE)
    engine.script("channel", [ASK, say("never mind")])
    engine.say("please ask")
    engine.settle()
    assert not Question.objects.exists()
    assert "ask" not in [tool.name for tool in engine.models["channel"].requests[0].tools]
    assert next(tool for tool in policies.list_tools(engine.team.owner) if tool.name == "ask").kinds == (
        "branch", "channel", "cron", "worker",
    )  # fmt: skip


def test_words_name_options_by_number_or_label() -> None:
    options = [{"label": "10", "description": ""}, {"label": "Keep it", "description": ""}]
    for text, places in {
        "10": [0],
        "1": [0],
        "2)": [1],
        "KEEP IT.": [1],
        "3": [],
        "keep": [],
        "": [],
    }.items():
        assert words.choices_in(text, options, multi_select=False) == places
    assert words.choices_in("1, keep it", options, multi_select=True) == [0, 1]
    assert words.choices_in("1, or not", options, multi_select=True) == []


def test_a_conversation_without_questions_is_answered_as_ever(engine: Engine) -> None:
    asked_by_channel(engine)
    other = start_conversation(engine.team.member, agent_id=engine.team.agent.pk, kind="dm")
    send_message(engine.team.member, other.pk, text="2")
    assert Question.objects.get().is_open
    assert Conversation.objects.count() >= 2


def test_a_scheduled_job_asks_its_conversation_and_goes_on(engine: Engine) -> None:
    def channel(request: Any) -> Any:
        if "Report the time." in str(request.messages[0]) and "ask" in [tool.name for tool in request.tools]:
            return ASK if len(request.messages) == 1 else call("skip", reason="it is theirs to say")
        return call("reply", content="heard")

    engine.script("channel", channel)
    firing = fire(plan(engine))
    engine.settle()
    firing.refresh_from_db()
    question = Question.objects.get()
    assert (firing.execution, question.waits, question.is_open) == ("succeeded", False, True)
    services.answer(engine.team.member, question.pk, numbers=[1])
    engine.settle()
    assert engine.replies()[-1] == "heard"
    assert "Which colour?" in heard(engine)
