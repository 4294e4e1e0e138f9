from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from agents.context.compaction import EMERGENCY, background_cut, emergency_cut, measure
from agents.context.fit import budget
from agents.context.history import Line
from agents.models import Checkpoint, Run, RunState
from agents.services.checkpoints import ROLL_UP, ROLL_UP_AT
from llm.clients.scripted import Scripted, call, fail, say
from llm.errors import AuthenticationFailed, ContextTooLong
from llm.models import ModelEntry
from llm.services.routing import forget_routing
from llm.services.tokens import estimate_tokens
from llm.types import ChatRequest, ToolResult
from memory.services.transcripts import index_conversation
from messaging.models import Conversation, Direction, Handling, Message
from tests.agents.conftest import Engine

WINDOW = 8_000


def set_window(engine: Engine, tokens: int) -> None:
    ModelEntry.objects.filter(organization=engine.team.organization).update(context_window=tokens)
    forget_routing(engine.team.organization.pk)


def fill(engine: Engine, texts: list[str]) -> None:
    """Store old, answered messages, people and agent in turn."""
    start = Conversation.objects.get(pk=engine.conversation.pk).last_seq
    Message.objects.bulk_create(
        Message(
            organization_id=engine.team.organization.pk,
            conversation=engine.conversation,
            seq=start + number,
            direction=Direction.INBOUND if number % 2 else Direction.OUTBOUND,
            author_name="Mia of acme" if number % 2 else "Spacebot",
            text=text,
            handling=Handling.ANSWERED if number % 2 else Handling.NOT_NEEDED,
        )
        for number, text in enumerate(texts, start=1)
    )
    Conversation.objects.filter(pk=engine.conversation.pk).update(last_seq=start + len(texts))


def test_a_long_conversation_is_summarised_in_the_background_and_the_reply_does_not_wait(
    engine: Engine,
) -> None:
    set_window(engine, WINDOW)
    fill(engine, ["word " * 100] * 24)
    engine.script("channel", lambda request: call("reply", content="ok"))
    compactor = engine.script("compactor", [say("Title: Words\nThey said word, many times.")])
    engine.say("hello")
    engine.execute(Run.objects.get(kind="channel"))
    assert engine.replies()[-1] == "ok"
    assert not Checkpoint.objects.exists()
    engine.settle()
    row = Checkpoint.objects.get()
    assert (row.from_seq, row.title, row.level) == (1, "Words", 0)
    assert 5 <= row.to_seq <= 16
    assert len(compactor.requests) == 1
    engine.say("again")
    engine.settle()
    request = engine.models["channel"].requests[-1]
    assert "They said word, many times." in request.messages[0].text
    assert estimate_tokens(request) < budget(WINDOW)


def test_what_does_not_fit_is_set_aside_at_once_without_a_model(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, [f"number {n} " + "word " * 150 for n in range(60)])
    model = engine.script("channel", lambda request: call("reply", content="ok"))
    engine.say("hello")
    engine.settle()
    assert estimate_tokens(model.requests[0]) <= budget(WINDOW)
    row = Checkpoint.objects.get()
    assert row.run is None
    assert "number 0" in row.summary
    assert engine.replies()[-1] == "ok"


def test_a_compaction_that_was_overtaken_is_declined(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, ["word " * 100] * 24)
    engine.script("channel", lambda request: call("reply", content="ok"))

    def late(request: ChatRequest) -> Scripted:
        Checkpoint.objects.create(
            organization=engine.team.organization,
            conversation=engine.conversation,
            from_seq=1,
            to_seq=20,
            title="x",
            summary="y",
        )
        return say("Title: Late\nToo late.")

    engine.script("compactor", [late])
    engine.say("hello")
    engine.settle()
    assert Checkpoint.objects.get().title == "x"
    assert "declined" in Run.objects.get(kind="compaction").result


def test_a_failed_compaction_loses_nothing_and_is_tried_again(engine: Engine) -> None:
    set_window(engine, WINDOW)
    fill(engine, ["word " * 100] * 24)
    engine.script("channel", lambda request: call("reply", content="ok"))
    engine.script("compactor", [fail(AuthenticationFailed("no")), say("Title: Second\nNow it worked.")])
    engine.say("hello")
    engine.settle()
    assert not Checkpoint.objects.exists()
    engine.say("hello again")
    engine.settle()
    assert Checkpoint.objects.get().title == "Second"
    assert len(engine.replies()) == 2 + 12


def test_many_checkpoints_are_rolled_up(engine: Engine) -> None:
    fill(engine, ["word"] * 300)
    for number in range(ROLL_UP_AT - 1):
        Checkpoint.objects.create(
            organization=engine.team.organization,
            conversation=engine.conversation,
            from_seq=number * 10 + 1,
            to_seq=number * 10 + 10,
            title=f"part {number}",
            summary="s",
        )
    engine.script("channel", lambda request: call("reply", content="ok"))
    engine.script("compactor", [say("Title: Newest\nnew"), say("Title: All of it\nrolled")])
    engine.say("hello")
    engine.settle()
    rolled = Checkpoint.objects.get(level=1)
    assert (rolled.title, rolled.from_seq, rolled.to_seq) == ("All of it", 1, ROLL_UP * 10)
    assert Checkpoint.objects.filter(rolled_into=rolled).count() == ROLL_UP


def test_too_long_teaches_the_window_and_the_turn_goes_on(engine: Engine) -> None:
    fill(engine, ["word " * 100] * 60)
    refusal = ContextTooLong("too long", limit_tokens=WINDOW)
    model = engine.script(
        "channel", [fail(refusal), call("reply", content="ok"), call("reply", content="again")]
    )
    engine.say("hello")
    engine.settle()
    assert engine.replies()[-1] == "ok"
    assert estimate_tokens(model.requests[1]) <= budget(WINDOW)
    assert ModelEntry.objects.get(name="channel-script").learned_window == WINDOW
    engine.say("hello")
    engine.settle()
    assert estimate_tokens(model.requests[2]) <= budget(WINDOW)


@pytest.mark.slow
def test_five_thousand_messages_never_exceed_the_window_and_nothing_is_lost(
    engine: Engine, settings: Any, caches_kept: None
) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    set_window(engine, WINDOW)
    chance = random.Random(7)
    planted: list[str] = []
    sizes: list[int] = []
    asked: list[int] = []
    read: list[int] = []
    rows_seen: list[int] = []

    def answer(request: ChatRequest) -> Scripted:
        sizes.append(estimate_tokens(request))
        rows_seen.append(sum(m.text.count(" UTC] ") for m in request.messages))
        return call("reply", content="noted")

    def summarise(request: ChatRequest) -> Scripted:
        sizes.append(estimate_tokens(request))
        return say("Title: A part\n" + request.messages[-1].text[:600])

    engine.script("channel", answer)
    engine.script("compactor", summarise)
    for _ in range(50):
        texts = [
            " ".join(chance.choices(["river", "stone", "blue", "seven"], k=chance.randint(3, 60)))
            for _ in range(98)
        ]
        fact = f"the code of door {len(planted)} is {chance.randint(10_000, 99_999)}"
        texts[chance.randrange(98)] = fact
        planted.append(fact)
        fill(engine, texts)
        engine.say("go on")
        with CaptureQueriesContext(connection) as captured:
            assert engine.execute(Run.objects.get(kind="channel", state="queued"))
        asked.append(len(captured))
        read.append(rows_seen[-1])
        engine.settle()
    assert Message.objects.filter(conversation=engine.conversation).count() == 5_000
    assert max(sizes) <= budget(WINDOW)
    covered = 0
    for row in Checkpoint.objects.filter(level=0).order_by("from_seq"):
        assert row.from_seq == covered + 1
        covered = row.to_seq
    assert covered > 4_500
    assert max(read[-10:]) <= 1.5 * max(read[5:15]), "a turn reads more rows the longer it goes on"
    assert max(asked[-10:]) <= max(asked[5:15]) + 3, "a turn asks more questions the longer it goes on"
    index_conversation(engine.conversation.pk)
    find_all(engine, planted)
    assert Run.objects.exclude(kind="keeping").exclude(state=RunState.SUCCEEDED).count() == 0


def find_all(engine: Engine, planted: list[str]) -> None:
    """Let branches look for every fact: through the summary that stands for it, and by recall of what was said."""
    rows = list(Checkpoint.objects.filter(conversation=engine.conversation, level=0).order_by("from_seq"))
    places = dict(Message.objects.filter(text__in=planted).values_list("text", "seq"))
    wanted, results, recalled = "", list[str](), list[bool]()

    def look(request: ChatRequest) -> Scripted:
        found = [m.text for m in request.messages if isinstance(m, ToolResult)]
        if not found:
            return call("transcript_recall", query=f"what is the code of {wanted}?", limit=10)
        row = next((row for row in rows if row.from_seq <= places[fact] <= row.to_seq), None)
        if len(found) == 1:  # Later the window may have no room for it any more.
            recalled.append(fact in found[0])
        if len(found) == 1 and row is not None:
            return call(
                "expand_summary",
                from_seq=row.from_seq,
                to_seq=row.to_seq,
                after_seq=max(1, places[fact] - 8),
            )
        verdict = "by recall" if recalled[-1] else "not by recall"
        if row is not None:
            verdict += " and behind its summary" if fact in found[1] else " and not behind its summary"
        return call("conclude", status="done", conclusion=verdict)

    engine.script("branch", look)
    engine.script(
        "channel",
        lambda request: (
            call("reply", content="told")
            if "[report" in request.messages[-1].text
            else call("branch", task=f"find {wanted}") + call("reply", content="looking")
        ),
    )
    for fact in planted:
        wanted = fact.removeprefix("the code of ").split(" is ")[0]
        engine.say(f"find {wanted}")
        engine.settle(most=80)
        results.append(engine.runs("branch")[-1].result["text"])
        assert results[-1] != "not by recall", fact
        assert "not behind" not in results[-1], fact
    by_recall = sum(result.startswith("by recall") for result in results)
    assert by_recall >= 0.9 * len(planted), results


lengths = st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=60)


@given(lengths=lengths, base=st.integers(0, 3_000), open_from=st.integers(0, 60))
def test_cuts_spare_the_newest_and_what_is_unanswered(
    lengths: list[tuple[int, bool]], base: int, open_from: int
) -> None:
    lines = [
        Line(n, n, inbound, "A", "x" * size * 4, datetime(2026, 1, 1, tzinfo=UTC), inbound and n > open_from)
        for n, (size, inbound) in enumerate(lengths, start=1)
    ]
    measured = measure(lines, base=base, window=WINDOW)
    for cut in (background_cut(measured), emergency_cut(measured)):
        if cut is not None:
            assert cut <= len(lines) - 4
            assert not any(line.unanswered for line in lines if line.seq <= cut)
    if measured.usage < EMERGENCY:
        assert emergency_cut(measured) is None
