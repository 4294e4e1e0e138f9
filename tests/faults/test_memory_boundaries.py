"""Keeping, merging and summarising, killed with SIGKILL at every boundary: nothing is lost, nothing is there twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.boundaries import WORKER_BOUNDARIES
from agents.engine import wakeups
from agents.models import Checkpoint, Keeping, Run, RunKind, RunState
from agents.processes.compactor import start_compaction
from agents.processes.keeper import keep_what_is_quiet
from memory import types
from memory.boundaries import MERGING
from memory.models import Association, Consolidation, Memory
from memory.services.saving import save_memory
from messaging.models import Conversation, Direction, Handling, Message
from messaging.queries import list_participants
from tests.agents.conftest import Engine
from tests.faults.conftest import Victim

pytestmark = pytest.mark.slow

WITHOUT_NUDGES = tuple(each for each in WORKER_BOUNDARIES if not each.startswith("nudge"))
NO_TOOLS = tuple(each for each in WITHOUT_NUDGES if not each.startswith(("tool", "result", "step.committed")))
TOOLS = ("tool.before", "tool.after", "result.stored", "result.committed", "step.stored", "end.written")


def talk(engine: Engine, stretch: int, count: int = 2) -> int:
    """Store answered messages of long ago; return the last one's place."""
    room = Conversation.objects.get(pk=engine.conversation.pk)
    Message.objects.bulk_create(
        Message(
            organization_id=room.organization_id, conversation=room, seq=room.last_seq + number, author_name="Mia",
            direction=Direction.INBOUND, text=f"stretch {stretch} word {number}", handling=Handling.ANSWERED,
        )
        for number in range(1, count + 1)
    )  # fmt: skip
    last = room.last_seq + count
    Conversation.objects.filter(pk=room.pk).update(
        last_seq=last, last_message_at=timezone.now() - timedelta(hours=1)
    )
    return last


def channel_run(engine: Engine) -> Run:
    return Run.objects.create(
        organization=engine.team.organization, agent=engine.team.agent, conversation=engine.conversation,
        requester_user=engine.team.member.user, kind="channel", state="succeeded", due_at=timezone.now(),
        finished_at=timezone.now(),
    )  # fmt: skip


def test_keeping_saves_everything_once_wherever_it_dies(engine: Engine, victim: Victim) -> None:
    channel_run(engine)
    for stretch, boundary in enumerate(WITHOUT_NUDGES):
        last = talk(engine, stretch)
        assert keep_what_is_quiet() == 1
        victim.die_at(boundary, "remember")
        run = Run.objects.filter(kind=RunKind.KEEPING).latest("id")
        saved = Memory.objects.filter(content__startswith=f"In stretch {stretch} ")
        assert run.state == RunState.SUCCEEDED, boundary
        assert sorted(run.result["memory_ids"]) == sorted(saved.values_list("pk", flat=True)), boundary
        assert saved.count() == 2, boundary
        assert Keeping.objects.get().kept_seq == last, boundary
        assert keep_what_is_quiet() == 0
    assert Memory.objects.count() == 2 * len(WITHOUT_NUDGES)
    assert Run.objects.filter(kind=RunKind.KEEPING).count() == len(WITHOUT_NUDGES)


def test_a_merge_happens_once_and_whole_wherever_it_dies(engine: Engine, victim: Victim) -> None:
    parent = channel_run(engine)
    (mia,) = list_participants(engine.team.member, engine.conversation)
    for number, boundary in enumerate((*MERGING, *TOOLS)):
        first, second = (
            save_memory(
                organization_id=engine.team.organization.pk, agent_id=engine.team.agent.pk, type="fact",
                content=f"{word} {number} {word}", heard_by=types.person(mia.person_id),
            ).memory
            for word in ("apples", "oranges")
        )  # fmt: skip
        assert first is not None
        assert second is not None
        branch = wakeups.start_child(
            parent, kind=RunKind.BRANCH, task=f"merge {first.pk} and {second.pk}", key=f"branch {number}",
            active_limit_s=60, fork_seq=0,
        )  # fmt: skip
        victim.die_at(boundary, "remember")
        first.refresh_from_db()
        second.refresh_from_db()
        branch.refresh_from_db()
        assert first.content == f"Both {first.pk} and {second.pk}", boundary
        assert (first.is_live, second.superseded_by_id) == (True, first.pk), boundary
        assert Consolidation.objects.filter(survivor=first, run_id=branch.pk).count() == 1, boundary
        assert first.edits.filter(action="merged").count() == 1, boundary
        assert Association.objects.filter(source=first, target=second).count() == 1, boundary
        assert branch.result["text"] == f"Merged into memory {first.pk}.", boundary


def test_a_summary_is_written_once_and_without_a_gap_wherever_it_dies(
    engine: Engine,
    victim: Victim,
) -> None:
    parent, covered = channel_run(engine), 0
    for stretch, boundary in enumerate(NO_TOOLS):
        last = talk(engine, stretch)
        start_compaction(parent, from_seq=covered + 1, to_seq=last)
        victim.die_at(boundary, "remember")
        row = Checkpoint.objects.latest("id")
        assert (row.from_seq, row.to_seq, row.summary) == (covered + 1, last, "They said things."), boundary
        covered = last
    assert Checkpoint.objects.count() == len(NO_TOOLS)
    assert Message.objects.count() == 2 * len(NO_TOOLS)
    runs = Run.objects.filter(kind=RunKind.COMPACTION)
    assert set(runs.values_list("state", flat=True)) == {RunState.SUCCEEDED}
    assert runs.filter(recoveries=1).count() >= len(NO_TOOLS) - 1
