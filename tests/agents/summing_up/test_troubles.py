"""Death, withdrawal and erasure: what is left when something goes wrong with a summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from agents.engine import endings, executor
from agents.models import EventType, Run, Synthesis, WorkingEvent
from agents.processes.synthesiser import Synthesiser
from agents.services import summing_up, syntheses
from agents.services.summing_up import start_due
from llm.clients.scripted import Scripted, ScriptedModel, call, say
from llm.types import ChatRequest
from memory import types
from memory.services import editing, erasure
from memory.services.saving import save_memory
from messaging.models import Conversation
from tests.agents.conftest import Engine
from tests.agents.summing_up.conftest import DAY, HOUR, NOON, Clock, many, settle, tell
from tests.agents.test_recovery import die_at, run_until_killed
from tests.agents.working import happen, person_of, room_of, told_in


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", ["complete", "swap_in", "before_finish", "finish"])
def test_a_summary_survives_death_at_any_boundary(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel], monkeypatch: pytest.MonkeyPatch,
    place: str, before: bool,
) -> None:  # fmt: skip
    cortex(tell)
    many(engine, 15)
    assert start_due() == 1
    owners: dict[str, tuple[Any, str]] = {
        "complete": (executor, "complete"), "swap_in": (syntheses, "swap_in"),
        "before_finish": (Synthesiser, "before_finish"), "finish": (endings, "finish"),
    }  # fmt: skip
    owner, name = owners[place]
    run = Run.objects.get()
    die_at(monkeypatch, owner, name, before=before)
    run_until_killed(engine, run)
    assert Synthesis.objects.count() == 0
    assert WorkingEvent.objects.filter(synthesis=None).count() == 15
    assert start_due() == 0
    engine.settle_run(run)
    assert Synthesis.objects.get().event_count == 15
    assert not WorkingEvent.objects.filter(synthesis=None).exists()
    clock.pass_by(HOUR)
    assert start_due() == 0


def test_what_was_taken_back_while_it_was_summed_up_is_not_told(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    def forget_meanwhile(request: ChatRequest) -> Scripted:
        WorkingEvent.objects.filter(summary="thing 7").delete()
        return say("It tells of thing 7")

    cortex(forget_meanwhile)
    many(engine, 15)
    start_due()
    engine.settle()
    assert not Synthesis.objects.exists()
    assert "thing 7" not in str(Run.objects.get().result)
    assert WorkingEvent.objects.filter(synthesis=None).count() == 14


def test_forgetting_a_memory_takes_back_the_summaries_that_told_it(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(lambda request: say("It says: " + " ".join(request.messages[-1].text.split())))
    saved = save_memory(
        organization_id=engine.team.organization.pk, agent_id=engine.team.agent.pk, type="fact",
        content="The code is 4711", heard_by=types.ORGANIZATION,
    )  # fmt: skip
    many(engine, 14)
    settle(engine, clock)
    clock.now = NOON + DAY
    settle(engine, clock)
    assert "4711" in told_in(engine.team, engine.conversation).text
    assert saved.memory is not None
    editing.forget_memory(engine.team.moderator, saved.memory.pk)
    assert "4711" not in told_in(engine.team, engine.conversation).log.text
    clock.pass_by(HOUR)
    settle(engine, clock)
    day = Synthesis.objects.get(kind="daily")
    assert day.event_count == 14
    assert "4711" not in day.text


def test_erasing_a_person_reaches_events_summaries_and_every_prompt_and_proves_it(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    from agents.models import Prompt, Step

    team = engine.team
    mia, otto = person_of(team, "member"), person_of(team, "other_member")
    shared = room_of(team, mia, otto)
    cortex(lambda request: say("It says: " + " ".join(request.messages[-1].text.split())))
    many(engine, 15, types.person(mia.pk), word="secret")
    for number in range(15):
        happen(team, f"secret in the room {number}", where=shared, person_id=otto.pk)
        happen(team, f"by {'mia: secret' if number == 3 else 'otto'} {number}", heard_by=types.ORGANIZATION,
               person_id=mia.pk if number == 3 else otto.pk)  # fmt: skip
    settle(engine, clock)
    clock.now = NOON + DAY
    settle(engine, clock)
    engine.script("channel", lambda request: call("reply", content="ok"))
    aside = room_of(team, otto, kind="dm")
    from agents.services.conversations import send_message

    send_message(team.other_member, aside.pk, text="hello")
    engine.settle()
    assert "secret" in str(list(Prompt.objects.values_list("system", flat=True)))
    assert erasure.count_left(team.organization.pk, mia.pk)["happenings"] > 30
    result = erasure.erase_person(team.organization.pk, mia.pk)
    assert result.is_complete
    assert result.erased["happenings"] > 30
    kept = [
        *WorkingEvent.objects.values_list("summary", flat=True), *Synthesis.objects.values_list("text", flat=True),
        *Prompt.objects.values_list("system", flat=True), *Step.objects.values_list("added", "response"),
        *Run.objects.filter(kind="synthesis").values_list("result", "input"),
    ]  # fmt: skip
    assert "secret" not in str(kept)
    assert WorkingEvent.objects.filter(summary__startswith="by otto", synthesis=None).count() == 14
    assert erasure.erase_person(team.organization.pk, mia.pk).erased["happenings"] == 0
    clock.pass_by(HOUR)
    settle(engine, clock)
    assert Synthesis.objects.get(kind="daily").event_count == 14


def test_a_person_is_erased_from_old_days_too(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(tell)
    mia = person_of(engine.team, "member")
    many(engine, 15, person_id=mia.pk)
    settle(engine, clock)
    clock.now = NOON + DAY
    settle(engine, clock)
    assert summing_up.prune(NOON + 40 * DAY) == 16
    assert Synthesis.objects.get().people == [mia.pk]
    assert erasure.erase_person(engine.team.organization.pk, mia.pk).is_complete
    assert not Synthesis.objects.exists()


def test_events_and_parts_of_days_go_after_a_month_and_days_stay(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    cortex(tell)
    many(engine, 15)
    settle(engine, clock)
    clock.now = NOON + DAY
    settle(engine, clock)
    assert summing_up.prune(NOON + 29 * DAY) == 0
    assert summing_up.prune(NOON + 40 * DAY) == 16
    assert summing_up.prune(NOON + 40 * DAY) == 0
    assert [row.kind for row in Synthesis.objects.all()] == ["daily"]
    clock.now = NOON + 40 * DAY
    assert start_due() == 0


def test_a_conversation_whose_memory_was_switched_off_is_not_summed_up(
    engine: Engine, clock: Clock, cortex: Callable[..., ScriptedModel]
) -> None:
    room = room_of(engine.team, person_of(engine.team, "member"))
    for number in range(20):
        happen(engine.team, f"thing {number}", where=room, type=EventType.OUTCOME)
    Conversation.objects.filter(pk=room.pk).update(settings={"memory": "off"})
    assert start_due() == 0


def test_the_job_and_the_pruning_run_by_themselves(engine: Engine) -> None:
    from agents import jobs

    many(engine, 15)
    WorkingEvent.objects.filter(summary="thing 0").update(created_at=timezone.now() - 31 * DAY)
    jobs.prune_working_memory()
    assert WorkingEvent.objects.count() == 14
    happen(engine.team, "one more", heard_by=types.ORGANIZATION)
    jobs.sum_up()
    assert Run.objects.get().kind == "synthesis"
