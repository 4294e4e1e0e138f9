"""The tools by which branches and workers remember, forget, merge and look things up."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import Forbidden, InvalidInput
from accounts.models import AuditEvent, Person
from accounts.services.people import person_for_user
from agents import queries
from agents.context import knowledge
from agents.models import Checkpoint, Run, ToolCall
from agents.services.agents import update_agent
from agents.tools.registry import tools_for
from agents.tools.remember import audience_of
from llm.clients.scripted import Scripted, call
from memory.models import Consolidation, Memory
from memory.services.transcripts import index_conversation
from memory.types import ORGANIZATION, person
from messaging.models import Conversation, Participant
from messaging.services.conversations import add_participant, start_conversation
from messaging.services.messages import append_inbound
from tests.agents.conftest import Engine
from tests.agents.test_compaction import fill
from tests.agents.test_memory import save, think

MEMORY = {"memory_save", "memory_recall", "memory_forget", "memory_consolidate", "transcript_recall"}


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    knowledge._empty.clear()


def mine(engine: Engine) -> Any:
    return person(person_for_user(engine.team.organization, engine.team.member.user).pk)


def results(engine: Engine, name: str) -> list[tuple[str, str]]:
    rows = ToolCall.objects.filter(name=name).order_by("id")
    return [(row.state, row.result) for row in rows]


def test_channels_hold_no_memory_tool_and_branches_hold_all() -> None:
    assert not MEMORY & set(tools_for("channel"))
    assert set(tools_for("branch")) >= MEMORY


def test_a_branch_forgets_softly_and_the_run_is_named(engine: Engine) -> None:
    memory = save(engine, "Mia is allergic to nuts", mine(engine))
    forget = call("memory_forget", memory_id=memory.pk, reason="she said so")
    think(engine, forget, forget)
    memory.refresh_from_db()
    run = Run.objects.get(kind="branch")
    assert memory.forgotten_at is not None
    assert memory.edits.get(action="forgotten").run_id == run.pk
    assert AuditEvent.objects.get(action="memory.forgotten").detail["run"] == run.pk
    assert [state for state, _ in results(engine, "memory_forget")] == ["succeeded", "failed"]


def test_a_branch_does_not_touch_what_not_all_who_listen_may_hear(engine: Engine) -> None:
    otto = person_for_user(engine.team.organization, engine.team.other_member.user)
    memory = save(engine, "Otto wants to leave", person(otto.pk))
    own = save(engine, "Mia stays", mine(engine))
    think(
        engine,
        call("memory_forget", memory_id=memory.pk, reason="no reason"),
        call("memory_consolidate", merges=[{"keep": own.pk, "absorb": [memory.pk], "content": "both"}]),
        call("memory_save", content="Mia goes", type="fact", supersedes=memory.pk),
        call("memory_save", content="Mia goes", type="fact", contradicts=[memory.pk]),
    )
    memory.refresh_from_db()
    assert memory.is_live
    assert Memory.objects.count() == 2
    told = [text for name in MEMORY for _, text in results(engine, name)]
    assert told == [f"There is no memory {memory.pk} here."] * 4


def test_what_everyone_knows_is_retired_only_when_a_moderator_asks(engine: Engine) -> None:
    memory = save(engine, "The office closes at six")
    think(engine, call("memory_forget", memory_id=memory.pk, reason="it is wrong"))
    memory.refresh_from_db()
    assert memory.is_live
    assert "moderator" in results(engine, "memory_forget")[0][1]
    Participant.objects.filter(conversation=engine.conversation).delete()
    engine.team.member = engine.team.moderator
    engine.conversation = start_conversation(engine.team.moderator, agent_id=engine.team.agent.pk, kind="dm")
    think(engine, call("memory_forget", memory_id=memory.pk, reason="it is wrong"))
    memory.refresh_from_db()
    assert not memory.is_live


def test_a_branch_merges_in_one_go_and_asked_again_it_says_the_same(engine: Engine) -> None:
    first = save(engine, "Mia drinks green tea", mine(engine))
    second = save(engine, "Mia likes sencha best", mine(engine))
    merge = call(
        "memory_consolidate",
        merges=[{"keep": first.pk, "absorb": [second.pk], "content": "Mia drinks sencha"}],
    )
    think(engine, merge, merge)
    assert Consolidation.objects.count() == 1
    first.refresh_from_db()
    assert first.content == "Mia drinks sencha"
    assert {text for _, text in results(engine, "memory_consolidate")} == {f"Merged into memory {first.pk}."}


def test_a_merge_of_two_types_is_refused_and_nothing_changes(engine: Engine) -> None:
    first = save(engine, "Mia drinks green tea", mine(engine))
    second = save(engine, "Buy green tea", mine(engine), type="todo")
    think(
        engine,
        call("memory_consolidate", merges=[{"keep": first.pk, "absorb": [second.pk], "content": "tea"}]),
    )
    assert "one type" in results(engine, "memory_consolidate")[0][1]
    assert Memory.objects.filter(superseded_at=None).count() == 2


def test_a_branch_finds_what_was_said_where_all_who_listen_took_part(engine: Engine) -> None:
    team = engine.team
    own = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    others = start_conversation(team.other_member, agent_id=team.agent.pk, kind="dm")
    for room, text in ((own, "The boiler was repaired"), (others, "The boiler is my secret")):
        append_inbound(room.pk, person=None, author_name="Someone", text=text)
        index_conversation(room.pk)
    think(engine, call("transcript_recall", query="boiler", since="2020-01-01T00:00:00"))
    ((state, text),) = results(engine, "transcript_recall")
    assert state == "succeeded"
    assert f"(conversation {own.pk}, message 1)" in text
    assert "repaired" in text
    assert "secret" not in text


def test_a_branch_opens_a_summary_down_to_its_messages(engine: Engine) -> None:
    fill(engine, [f"word {number}" for number in range(1, 241)])
    row = {"organization": engine.team.organization, "conversation": engine.conversation}
    top = Checkpoint.objects.create(**row, level=1, from_seq=1, to_seq=240, title="All", summary="both")
    for start, end in ((1, 120), (121, 240)):
        Checkpoint.objects.create(
            **row, from_seq=start, to_seq=end, title=f"Part {start}", summary="half", rolled_into=top
        )
    think(
        engine,
        call("expand_summary", from_seq=1, to_seq=240),
        call("expand_summary", from_seq=121, to_seq=240),
        call("expand_summary", from_seq=121, to_seq=240, after_seq=220),
        call("expand_summary", from_seq=5, to_seq=9),
    )
    texts = [text for _, text in results(engine, "expand_summary")]
    assert "Messages 1–120: Part 1" in texts[0]
    assert "word 121" in texts[1]
    assert "after_seq=220" in texts[1]
    assert "word 240" in texts[2]
    assert "heading" in texts[3]


def work(engine: Engine) -> Scripted:
    engine.script(
        "channel",
        [
            call("spawn_worker", task="find the day") + call("reply", content="ok"),
            call("reply", content="told"),
        ],
    )
    worker = engine.script(
        "worker",
        [call("memory_recall", query="deploy day"), call("set_outcome", status="done", summary="looked")],
    )
    engine.say("find it")
    engine.settle()
    return worker


def test_workers_recall_only_where_the_agent_allows_it_and_the_conversation_does_not_refuse(
    engine: Engine,
) -> None:
    save(engine, "The deploy day is Thursday")
    otto = person_for_user(engine.team.organization, engine.team.other_member.user)
    save(engine, "Otto hates the deploy day", person(otto.pk))
    work(engine)
    update_agent(engine.team.admin, engine.team.agent.pk, settings={"worker_memory": "recall"})
    work(engine)
    Conversation.objects.filter(pk=engine.conversation.pk).update(settings={"worker_memory": "none"})
    work(engine)
    states = results(engine, "memory_recall")
    assert [state for state, _ in states] == ["refused", "succeeded", "refused"]
    assert "Thursday" in states[1][1]
    assert "hates" not in states[1][1]


def test_private_learning_follows_the_organizations_rule_and_never_for_guests(engine: Engine) -> None:
    agent = engine.team.agent.pk
    with pytest.raises(Forbidden):
        update_agent(engine.team.moderator, agent, settings={"private_learning": "organization"})
    with pytest.raises(InvalidInput):
        update_agent(engine.team.admin, agent, settings={"private_learning": "everyone"})
    update_agent(engine.team.admin, agent, settings={"private_learning": "organization"})
    event = AuditEvent.objects.filter(action="agent.changed").latest("number")
    assert event.detail["settings"]["after"] == {"private_learning": "organization"}
    think(engine, call("memory_save", content="The office moves in May", type="fact"))
    memory = Memory.objects.get()
    assert memory.audience == ORGANIZATION.audience
    assert "may be told to its other members" in str(engine.models["channel"].requests[0].system)
    guest = Person.objects.create(organization=engine.team.organization, display_name="Guest")
    Participant.objects.filter(conversation=engine.conversation).update(person=guest)
    assert audience_of(Run.objects.get(kind="branch")) == person(guest.pk)


def test_settings_that_are_none_are_refused(engine: Engine) -> None:
    for value in ({"worker_memory": ["recall"]}, {"worker_memory": True}, {"memory": "off"}):
        with pytest.raises(InvalidInput):
            update_agent(engine.team.admin, engine.team.agent.pk, settings=value)


def test_who_joins_later_sees_what_came_of_a_run_and_not_its_inside(engine: Engine) -> None:
    team = engine.team
    engine.conversation = start_conversation(team.member, agent_id=team.agent.pk, kind="group")
    think(engine, call("memory_recall", query="anything"))
    run = Run.objects.get(kind="branch")
    add_participant(team.member, engine.conversation.pk, user_id=team.other_member.user.pk)
    assert queries.get_run(team.other_member, run.pk) == run
    assert len(queries.list_steps(team.member, run)) == 2
    with pytest.raises(Forbidden):
        queries.list_steps(team.other_member, run)
    think(engine, call("memory_recall", query="anything"))
    newer = Run.objects.filter(kind="branch").latest("id")
    assert len(queries.list_steps(team.other_member, newer)) == 2
