"""Real processes, killed with SIGKILL at every named boundary of the code, one after the other."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from accounts.boundaries import SYNTHESIS_BOUNDARIES, WEB_BOUNDARIES, WORKER_BOUNDARIES
from agents.models import Run, Synthesis, ToolCall, WorkingEvent
from agents.services.summing_up import start_due
from llm.models import ModelEntry, Process, Provider, Route
from llm.services.routing import forget_routing
from messaging.models import Message
from spacebot_site.bench.verdict import find_violations, is_settled
from tests.agents.conftest import Engine
from tests.agents.working import happen, person_of, room_of
from tests.faults.conftest import Victim

pytestmark = pytest.mark.slow

ENDINGS = ("model.after", "step.stored", "end.before", "end.written", "end.committed")


def test_nothing_is_lost_or_done_twice_whichever_boundary_a_worker_dies_at(
    engine: Engine, victim: Victim, tmp_path: Path
) -> None:
    numbers = itertools.count(1)
    for boundary in WORKER_BOUNDARIES:
        for verb in ("say", "think", "work"):
            engine.say(f"{verb} m-{engine.conversation.pk}-{next(numbers)}")
        victim.die_at(boundary)
    assert is_settled()
    assert find_violations(tmp_path / "workspaces") == []
    assert Run.objects.filter(recoveries__gt=0).exists()
    assert ToolCall.objects.filter(name="append_file", state="unknown").exists()


def test_every_event_is_summed_up_once_whichever_boundary_a_summary_dies_at(
    engine: Engine, victim: Victim
) -> None:
    provider = Provider.objects.get(organization=engine.team.organization)
    entry = ModelEntry.objects.create(
        organization=engine.team.organization, provider=provider, name="cortex-script"
    )
    Route.objects.create(organization=engine.team.organization, process=Process.CORTEX, entry=entry)
    forget_routing(engine.team.organization.pk)
    for count, boundary in enumerate((*SYNTHESIS_BOUNDARIES, *ENDINGS), start=1):
        room = room_of(engine.team, person_of(engine.team, "member"))
        for number in range(15):
            happen(engine.team, f"{boundary} {number}", where=room)
        assert start_due() == 1
        victim.die_at(boundary)
        assert [row.event_count for row in Synthesis.objects.all()] == [15] * count, boundary
        assert not WorkingEvent.objects.filter(synthesis=None).exists()
        assert start_due() == 0


def test_a_message_is_stored_once_whichever_boundary_a_web_process_dies_at(
    engine: Engine, victim: Victim, tmp_path: Path
) -> None:
    user, conversation = str(engine.team.member.user.pk), str(engine.conversation.pk)
    for number, boundary in enumerate(WEB_BOUNDARIES):
        text = f"say m-{conversation}-{number}"
        victim.arm("web", boundary)
        assert victim("web", "say", user, conversation, text) == -signal.SIGKILL, boundary
        assert victim("web", "say", user, conversation, text) == 0
        assert Message.objects.filter(external_id=text).count() == 1
        assert victim("worker", "work") == 0
    assert is_settled()
    assert find_violations(tmp_path / "workspaces") == []
