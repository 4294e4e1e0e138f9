from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.services.people import person_for_user
from agents.context import knowledge
from agents.models import Checkpoint, Keeping, Prompt, Report, Run, RunState, Step
from agents.processes.keeper import keep_what_is_quiet
from llm.clients.scripted import Scripted, call, fail
from llm.errors import AuthenticationFailed
from llm.types import ChatRequest
from memory.models import Audience, Memory
from memory.services import erasure
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, HeardBy, person
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from tests.agents.conftest import Engine


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    knowledge._empty.clear()


def save(engine: Engine, content: str, heard_by: HeardBy = ORGANIZATION, type: str = "fact") -> Memory:
    saved = save_memory(
        organization_id=engine.team.organization.pk,
        agent_id=engine.team.agent.pk,
        type=type,
        content=content,
        heard_by=heard_by,
    )
    assert saved.memory is not None
    return saved.memory


def think(engine: Engine, *steps: Scripted) -> None:
    done = call("conclude", status="done", conclusion="thought")
    engine.script("branch", [*steps, done])
    engine.script(
        "channel", [call("branch", task="think") + call("reply", content="ok"), call("reply", content="told")]
    )
    engine.say("think")
    engine.settle()


def seen(engine: Engine, process: str) -> str:
    return "\n".join(str(request) for request in engine.models[process].requests)


def set_mode(engine: Engine, mode: str) -> None:
    Conversation.objects.filter(pk=engine.conversation.pk).update(settings={"memory": mode})


def test_what_is_learned_in_private_is_heard_by_that_person_alone(engine: Engine) -> None:
    think(engine, call("memory_save", content="Mia likes green tea", type="preference"))
    memory = Memory.objects.get()
    mia = person_for_user(engine.team.organization, engine.team.member.user)
    assert (memory.audience, memory.audience_person) == (Audience.PERSON, mia)
    assert memory.run_id == Run.objects.get(kind="branch").pk


def test_what_is_learned_in_a_shared_conversation_is_heard_by_those_in_it(engine: Engine) -> None:
    other = engine.team.other_member.user.pk
    engine.conversation = start_conversation(
        engine.team.member, agent_id=engine.team.agent.pk, kind="group", user_ids=[other]
    )
    think(engine, call("memory_save", content="The team meets on Monday", type="fact"))
    memory = Memory.objects.get()
    assert (memory.audience, memory.audience_conversation) == (Audience.CONVERSATION, engine.conversation)


def test_a_branch_recalls_what_may_be_told_here_and_nothing_else(engine: Engine) -> None:
    otto = person_for_user(engine.team.organization, engine.team.other_member.user)
    save(engine, "The deploy day is Thursday")
    save(engine, "Otto thinks the deploy day is a mistake", person(otto.pk))
    think(engine, call("memory_recall", query="deploy day"))
    assert "Thursday" in seen(engine, "branch")
    assert "mistake" not in seen(engine, "branch") + seen(engine, "channel")


def test_the_channel_knows_what_matters_without_asking(engine: Engine) -> None:
    save(engine, "The office closes at six")
    engine.script("channel", [call("reply", content="Six.")])
    engine.say("when does it close?")
    engine.settle()
    assert "The office closes at six" in engine.models["channel"].requests[0].system[-1]


def test_memory_off_means_off_everywhere(engine: Engine) -> None:
    save(engine, "The office closes at six")
    set_mode(engine, "off")
    think(
        engine,
        call("memory_recall", query="office"),
        call("memory_save", content="Something new", type="fact"),
    )
    assert "closes at six" not in seen(engine, "branch") + seen(engine, "channel")
    assert Memory.objects.count() == 1
    Conversation.objects.update(last_message_at=timezone.now() - timedelta(hours=1))
    assert keep_what_is_quiet() == 0


def test_ambient_tells_but_does_not_keep(engine: Engine) -> None:
    save(engine, "The office closes at six")
    set_mode(engine, "ambient")
    think(
        engine,
        call("memory_recall", query="office closes"),
        call("memory_save", content="Something new", type="fact"),
    )
    assert "closes at six" in seen(engine, "branch")
    assert Memory.objects.count() == 1


def keep(request: ChatRequest) -> Scripted:
    """Save one thing, then finish with the id that came back."""
    results = [m.text for m in request.messages if type(m).__name__ == "ToolResult"]
    if not results:
        return call("memory_save", content="Mia moves to Lyon in May", type="event")
    number = int(results[0].split("memory ")[1].split(".")[0])
    return call("finish_keeping", memory_ids=[number])


def quiet(engine: Engine, text: str = "I move to Lyon in May") -> None:
    engine.script("channel", lambda request: call("reply", content="Nice."))
    engine.say(text)
    engine.settle()
    Conversation.objects.update(last_message_at=timezone.now() - timedelta(minutes=20))


def test_a_quiet_conversation_is_kept_once_and_costs_nothing_afterwards(engine: Engine) -> None:
    quiet(engine)
    keeper = engine.script("branch", keep)
    assert keep_what_is_quiet() == 1
    assert keep_what_is_quiet() == 0
    engine.settle()
    assert Memory.objects.get().content == "Mia moves to Lyon in May"
    assert Keeping.objects.get().kept_seq == 2
    assert keep_what_is_quiet() == 0
    assert len(keeper.requests) == 2
    assert engine.replies() == ["Nice."]


def test_keeping_must_name_exactly_what_it_saved(engine: Engine) -> None:
    quiet(engine)
    keeper = engine.script(
        "branch",
        [
            call("finish_keeping", memory_ids=[999]),
            call("finish_keeping"),
            call("finish_keeping", reason="small talk"),
        ],
    )
    keep_what_is_quiet()
    engine.settle()
    assert len(keeper.requests) == 3
    assert Run.objects.get(kind="keeping").state == RunState.SUCCEEDED


def test_failed_keeping_waits_before_it_tries_again_and_saves_nothing_twice(engine: Engine) -> None:
    quiet(engine)
    engine.script(
        "branch",
        [
            call("memory_save", content="Mia moves to Lyon in May", type="event"),
            fail(AuthenticationFailed("no")),
        ],
    )
    keep_what_is_quiet()
    engine.settle()
    keeping = Keeping.objects.get()
    assert (keeping.kept_seq, keeping.failures) == (0, 1)
    assert keep_what_is_quiet() == 0
    Keeping.objects.update(not_before=None)
    engine.script(
        "branch",
        [
            call("memory_save", content="Mia moves to Lyon in May", type="event"),
            call("finish_keeping", reason="it was known already"),
        ],
    )
    assert keep_what_is_quiet() == 1
    engine.settle()
    assert Memory.objects.count() == 1
    assert Keeping.objects.get().kept_seq == 2


def test_twenty_messages_start_keeping_without_waiting_for_quiet(engine: Engine) -> None:
    engine.script("channel", lambda request: call("reply", content="ok"))
    engine.script("branch", lambda request: call("finish_keeping", reason="small talk"))
    for number in range(11):
        engine.say(f"message {number}")
        engine.settle()
    assert Run.objects.filter(kind="keeping").count() == 1
    assert Keeping.objects.get().kept_seq >= 19


def test_erasing_a_person_reaches_the_records_of_runs_and_proves_it(engine: Engine) -> None:
    engine.script(
        "channel",
        [call("branch", task="ask about Lyon") + call("reply", content="ok"), call("reply", content="told")],
    )
    engine.script("branch", [call("conclude", status="done", conclusion="Lyon it is")])
    engine.say("I move to Lyon in May")
    engine.settle()
    Checkpoint.objects.create(
        organization=engine.team.organization,
        conversation=engine.conversation,
        from_seq=1,
        to_seq=1,
        title="t",
        summary="Lyon",
    )
    mia = person_for_user(engine.team.organization, engine.team.member.user)
    assert erasure.count_left(engine.team.organization.pk, mia.pk)["records"] > 0
    erased = erasure.erase_person(engine.team.organization.pk, mia.pk)
    assert erased.is_complete
    assert erased.erased["records"] >= 3
    for rows in (Step, Checkpoint, Prompt):
        assert not rows.objects.exists()
    kept = str(list(Run.objects.values())) + str(list(Report.objects.values()))
    assert "Lyon" not in kept
    assert erasure.erase_person(engine.team.organization.pk, mia.pk).erased["records"] == 0
