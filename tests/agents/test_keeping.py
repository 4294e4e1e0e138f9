"""When memory keeping runs, what it reads, and that nothing leaves the window before it has looked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import InvalidInput, NotFound
from accounts.models import AuditEvent
from agents.context import knowledge
from agents.models import Checkpoint, EventType, Keeping, Run, RunState
from agents.processes.keeper import AFTER_EVENTS, keep_what_is_quiet
from agents.services.conversation_settings import choose_memory
from llm.clients.scripted import Scripted, call, fail, say
from llm.errors import AuthenticationFailed
from llm.types import ChatRequest
from memory.listeners import Listeners
from memory.models import IndexedMessage
from memory.recall import recall_transcript
from memory.services.transcripts import index_conversation
from messaging.models import Conversation
from messaging.services.conversations import archive, start_conversation
from tests.agents.conftest import Engine
from tests.agents.test_compaction import WINDOW, fill, set_window
from tests.agents.working import happen


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    knowledge._empty.clear()


def nothing(request: ChatRequest) -> Scripted:
    return call("finish_keeping", reason="small talk")


def answer(engine: Engine) -> None:
    engine.script("channel", lambda request: call("reply", content="ok"))


def keepings(engine: Engine) -> list[Run]:
    return engine.runs("keeping")


def test_putting_a_conversation_away_keeps_what_is_unread_at_once(engine: Engine) -> None:
    answer(engine)
    engine.script("branch", nothing)
    engine.say("My train leaves at nine")
    engine.settle()
    assert keep_what_is_quiet() == 0
    archive(engine.team.member, engine.conversation.pk)
    assert keep_what_is_quiet() == 1
    engine.settle()
    assert Keeping.objects.get().kept_seq == 2
    assert keep_what_is_quiet() == 0


def test_five_notable_events_start_keeping_before_twenty_messages(engine: Engine) -> None:
    def talk(request: ChatRequest) -> Scripted:
        if "[report" in request.messages[-1].text:
            return call("reply", content="told")
        return call("branch", task=request.messages[-1].text[-20:]) + call("reply", content="ok")

    def think(request: ChatRequest) -> Scripted:
        if "You keep the memory" in request.system[0]:
            return nothing(request)
        return call("conclude", status="done", conclusion="thought")

    engine.script("channel", talk)
    engine.script("branch", think)
    for number in range(AFTER_EVENTS):
        assert keepings(engine) == []
        engine.say(f"think of number {number}")
        engine.settle()
    assert len(keepings(engine)) == 1
    assert Keeping.objects.get().kept_seq >= 14
    engine.say("think once more")
    engine.settle()
    assert len(keepings(engine)) == 1


def heavy_turn_after(engine: Engine, **more: Any) -> list[Run]:
    """Let five things of a kind happen in the conversation, then one turn that relays a result; return keepings."""
    room = Conversation.objects.get(pk=engine.conversation.pk)
    for number in range(AFTER_EVENTS):
        happen(engine.team, f"thing {number}", where=room, **more)
    answers = [call("branch", task="think") + call("reply", content="ok"), call("reply", content="told")]
    engine.script("channel", answers)

    def think(request: ChatRequest) -> Scripted:
        if "You keep the memory" in request.system[0]:
            return nothing(request)
        return call("conclude", status="done", conclusion="thought")

    engine.script("branch", think)
    engine.say("think")
    engine.settle()
    return keepings(engine)


def test_whatever_the_log_tells_of_a_conversation_counts_as_notable(engine: Engine) -> None:
    assert len(heavy_turn_after(engine, type=EventType.DEADLINE_SET)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"type": EventType.MEMORY_SAVED, "importance": 0.9, "memory_id": 1},
        {"type": EventType.DECISION, "memory_id": 1},
        {"type": EventType.WORKER_STARTED},
        {"type": EventType.PERSON_JOINED},
    ],
    ids=["what was saved", "a decision that was saved", "what only began", "small things"],
)
def test_what_is_kept_already_or_matters_little_is_not_notable(engine: Engine, more: dict[str, Any]) -> None:
    assert heavy_turn_after(engine, **more) == []


def test_what_is_notable_elsewhere_starts_no_keeping_here(engine: Engine) -> None:
    other = start_conversation(engine.team.member, agent_id=engine.team.agent.pk, kind="dm")
    for number in range(AFTER_EVENTS):
        happen(engine.team, f"elsewhere {number}", where=other, type=EventType.DEADLINE_SET)
    assert heavy_turn_after(engine, type=EventType.PERSON_JOINED) == []


def test_what_does_not_fit_is_read_next_and_nothing_is_passed_over(engine: Engine) -> None:
    set_window(engine, WINDOW)
    texts = [f"thing {number} " + "word " * 120 for number in range(60)]
    fill(engine, texts)
    answer(engine)
    keeper = engine.script("branch", nothing)
    engine.script("compactor", lambda request: say("Title: T\nsummary"))
    engine.say("hello")
    engine.settle()
    read = "\n".join(request.messages[0].text for request in keeper.requests)
    assert len(keeper.requests) > 1
    kept = Keeping.objects.get().kept_seq
    assert kept > 30
    assert all(f"thing {number} " in read for number in range(kept))
    assert "cut here" not in read


def test_a_range_leaves_the_window_only_after_keeping_has_seen_it(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, ["word " * 100] * 24)
    answer(engine)
    seen: list[int] = []

    def look(request: ChatRequest) -> Scripted:
        seen.append(Checkpoint.objects.count())
        return nothing(request)

    engine.script("branch", look)
    engine.script("compactor", [say("Title: Words\nThey said word.")])
    engine.say("hello")
    engine.settle()
    row = Checkpoint.objects.get()
    assert set(seen) == {0}
    assert Keeping.objects.get().kept_seq >= row.to_seq


def test_keeping_that_fails_holds_no_summary_up(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, ["word " * 100] * 24)
    answer(engine)
    engine.script("branch", [fail(AuthenticationFailed("no"))])
    engine.script("compactor", [say("Title: Words\nThey said word.")])
    engine.say("hello")
    engine.settle()
    assert Checkpoint.objects.count() == 1
    assert (Keeping.objects.get().kept_seq, Keeping.objects.get().failures) == (0, 1)


def test_what_an_emergency_sets_aside_is_kept_afterwards(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, [f"number {n} " + "word " * 150 for n in range(60)])
    answer(engine)
    engine.script("branch", nothing)
    engine.say("hello")
    engine.settle()
    row = Checkpoint.objects.get(run=None)
    assert Keeping.objects.get().kept_seq >= row.to_seq


def test_a_summary_never_stands_for_what_its_model_could_not_read(engine: Engine) -> None:
    fill(engine, ["word " * 100] * 200)
    answer(engine)
    engine.script("branch", nothing)
    compactor = engine.script("compactor", lambda request: say("Title: T\nsummary"))
    from llm.models import ModelEntry
    from llm.services.routing import forget_routing

    ModelEntry.objects.filter(name="compactor-script").update(context_window=WINDOW)
    forget_routing(engine.team.organization.pk)
    engine.say("hello")
    engine.settle()
    row = Checkpoint.objects.order_by("from_seq").first()
    assert row is not None
    assert compactor.requests[0].messages[0].text.count("Mia of acme:") * 2 >= row.to_seq - 1
    assert row.to_seq < 100


def test_what_was_said_while_memory_was_off_is_never_found_or_kept(engine: Engine) -> None:
    answer(engine)
    engine.script("branch", nothing)
    engine.say("The boiler is green")
    engine.settle()
    choose_memory(engine.team.member, engine.conversation.pk, mode="off")
    engine.say("The boiler is haunted")
    engine.settle()
    index_conversation(engine.conversation.pk)
    assert found(engine) == []
    choose_memory(engine.team.member, engine.conversation.pk, mode="full")
    index_conversation(engine.conversation.pk)
    engine.say("The boiler is repaired")
    engine.settle()
    index_conversation(engine.conversation.pk)
    assert found(engine) == ["The boiler is repaired"]
    Conversation.objects.update(last_message_at=timezone.now() - timedelta(hours=1))
    assert keep_what_is_quiet() == 1
    assert keepings(engine)[0].input["from_seq"] == 5


def test_what_was_indexed_before_is_not_found_while_memory_is_off(engine: Engine) -> None:
    answer(engine)
    engine.say("The boiler is green")
    engine.settle()
    index_conversation(engine.conversation.pk)
    assert found(engine) == ["The boiler is green"]
    choose_memory(engine.team.member, engine.conversation.pk, mode="off")
    assert found(engine) == []
    choose_memory(engine.team.member, engine.conversation.pk, mode="ambient")
    assert found(engine) == ["The boiler is green"]
    assert IndexedMessage.objects.count() == 2


def found(engine: Engine) -> list[str]:
    person = engine.team.organization.people.get(user=engine.team.member.user)
    said = recall_transcript(
        "boiler", organization_id=engine.team.organization.pk, agent_id=engine.team.agent.pk,
        listeners=Listeners.of([person.pk]),
    )  # fmt: skip
    return [each.text for each in said if "boiler" in each.text]


def test_the_mode_is_chosen_by_those_who_take_part_and_audited_once(engine: Engine) -> None:
    for _ in range(2):
        choose_memory(engine.team.member, engine.conversation.pk, mode="ambient")
    assert AuditEvent.objects.filter(action="conversation.memory_changed").count() == 1
    with pytest.raises(NotFound):
        choose_memory(engine.team.owner, engine.conversation.pk, mode="off")
    with pytest.raises(InvalidInput):
        choose_memory(engine.team.member, engine.conversation.pk, mode="loud")
    room = Conversation.objects.get(pk=engine.conversation.pk)
    assert room.settings["memory"] == "ambient"


def test_memory_that_is_switched_off_while_a_branch_thinks_is_off_for_it_too(engine: Engine) -> None:
    def think(request: ChatRequest) -> Scripted:
        if not any(type(m).__name__ == "ToolResult" for m in request.messages):
            choose_memory(engine.team.member, engine.conversation.pk, mode="off")
            return call("memory_save", content="Something private", type="fact")
        return call("conclude", status="done", conclusion=request.messages[-1].text)

    engine.script("branch", think)
    engine.script(
        "channel", [call("branch", task="think") + call("reply", content="ok"), call("reply", content="told")]
    )
    engine.say("think")
    engine.settle()
    assert "switched off" in engine.runs("branch")[0].result["text"]


def test_keeping_starts_in_no_other_conversation(engine: Engine) -> None:
    answer(engine)
    other = start_conversation(engine.team.member, agent_id=engine.team.agent.pk, kind="dm")
    engine.script("branch", nothing)
    engine.say("My train leaves at nine")
    engine.settle()
    archive(engine.team.member, engine.conversation.pk)
    keep_what_is_quiet()
    assert {run.conversation_id for run in Run.objects.filter(kind="keeping")} == {engine.conversation.pk}
    assert not Keeping.objects.filter(conversation=other).exists()
    assert Run.objects.get(kind="keeping").state == RunState.QUEUED
