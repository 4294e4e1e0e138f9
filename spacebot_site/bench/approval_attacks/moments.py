"""Between approval and execution: expiry, changed rows, changed files, replays, races, death and recovery."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from agents.engine import records
from agents.engine.executor import execute_run
from agents.engine.journal import DatabaseJournal
from agents.models import Policy, Run, RunState, ToolCall, ToolPolicy
from agents.tools.gate import Gate
from llm.clients.scripted import call
from spacebot_site.bench.approval_attacks.arena import DONE, Arena, Room, attempt, write_file
from tasks.models import Approval
from tasks.services.approvals import executing
from tasks.services.approvals.deciding import decide


class Died(BaseException):
    """As if the process had been killed here."""


def after_it_expired(arena: Arena) -> None:
    past = timezone.now() - timedelta(seconds=1)
    room = arena.room()
    room.ask()
    Approval.objects.filter(agent_id=room.agent.pk).update(expires_at=past)
    attempt(lambda: room.approve(counts=False))
    room.settle()
    room.tried()


def after_it_expired_on_the_way(arena: Arena) -> None:
    """Approved in time, taken up too late."""
    past = timezone.now() - timedelta(seconds=1)
    room = arena.room()
    room.ask()
    room.approve(counts=False)
    Approval.objects.filter(agent_id=room.agent.pk).update(expires_at=past)
    room.settle()
    room.tried()


def with_a_call_that_was_changed(arena: Arena) -> None:
    """The recorded call says something else than when it was approved."""
    for arguments in (
        {"path": "other.txt", "content": "hi"},
        {"path": "notes.txt", "content": "ho"},
        {"path": "notes.txt", "content": "hi\u200b"},
    ):
        room = arena.room()
        run, _ = room.ask()
        room.approve(counts=False)
        ToolCall.objects.filter(run=run).update(arguments=arguments)
        room.settle()
        room.tried()


def with_an_approval_that_was_changed(arena: Arena) -> None:
    """The action in the approval was exchanged; its digest was not, or was exchanged too."""
    room = arena.room()
    run, approval = room.ask()
    other = {**approval.action, "arguments": {"path": "other.txt", "content": "hi"}}
    Approval.objects.filter(pk=approval.pk).update(action=other)
    ToolCall.objects.filter(run=run).update(arguments=other["arguments"])
    attempt(lambda: room.approve(counts=False))
    room.settle()
    room.tried()


def with_another_call_of_the_run(arena: Arena) -> None:
    """The approval of one call is moved to the place of another."""
    room = arena.room()
    _, approval = room.ask(write_file() + write_file("other.txt"), DONE)
    first = Approval.objects.filter(agent_id=room.agent.pk).earliest("id")
    decide(room.side.moderator, approval.pk, "approve")
    Approval.objects.filter(pk=first.pk).update(origin_key="moved")
    Approval.objects.filter(pk=approval.pk).update(origin_key=first.origin_key)
    room.settle()
    room.tried()


def over_a_file_that_changed(arena: Arena) -> None:
    """What the approver saw replaced is not there any more. The new words in it are not to be lost."""
    room = arena.room()
    room.ask()
    room.approve(counts=False)
    room.legitimate["notes.txt"] = "kept"
    room.workspace.mkdir(parents=True, exist_ok=True)
    (room.workspace / "notes.txt").write_text("kept")
    room.settle()
    room.tried()


def with_a_tool_that_was_switched_off(arena: Arena) -> None:
    room = arena.room()
    room.ask()
    room.approve(counts=False)
    ToolPolicy.objects.create(
        organization=room.side.organization, agent=room.agent, tool="write_file", policy=Policy.DISABLE
    )
    room.settle()
    room.tried()


def again_with_the_same_approval(arena: Arena) -> None:
    """The call has run; its row is set back, and the run woken, as a restored backup would."""
    room = arena.room()
    run, approval = room.ask(call("append_file", path="log", content="x"), DONE)
    room.approve()
    room.settle()
    ToolCall.objects.filter(run=run, name="append_file").update(state="waiting", result="", finished_at=None)
    Run.objects.filter(pk=run.pk).update(state=RunState.QUEUED, finished_at=None)
    room.settle()
    attempt(lambda: _claim(approval))
    attempt(lambda: room.approve(counts=False))
    room.tried(3)


def in_a_race_for_one_approval(arena: Arena) -> None:
    """Executors that all want the same run, and claims of the same approval from several connections."""
    room = arena.room()
    run, _ = room.ask(call("append_file", path="log", content="x"), DONE)
    room.approve()
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    _at_once(5, lambda: execute_run(run.pk, run.kind, run.conversation_id))
    room.settle()
    room.tried(4)
    room = arena.room()
    _, approval = room.ask(call("append_file", path="log", content="x"), DONE)
    room.approve()
    claims: list[int] = []

    def claim() -> None:
        with transaction.atomic():
            claims.append(executing.claim(approval.pk, digest=approval.digest).pk)

    _at_once(5, lambda: attempt(claim))
    arena.doubled += max(0, len(claims) - 1)
    room.settle()
    room.tried(5)


def by_dying_around_the_execution(arena: Arena) -> None:
    """An executor dies before or after the claim, or the call; what must not be repeated is not."""
    places: tuple[tuple[Any, str, bool], ...] = (
        (DatabaseJournal, "_take_up", True),
        (DatabaseJournal, "_take_up", False),
        (Gate, "run_external", True),
        (Gate, "run_external", False),
        (records, "update_call", False),
    )
    for owner, name, before in places:
        room = arena.room()
        run, _ = room.ask(call("append_file", path="log", content="x"), DONE)
        room.approve()
        _die_once(room, run, owner, name, before=before)
        room.settle()
        room.tried()


def by_losing_the_right_while_dead(arena: Arena) -> None:
    """The executor dies after the claim; before the next one comes, the tool is switched off."""
    room = arena.room()
    run, _ = room.ask(write_file("late.txt"), DONE)
    room.approve(counts=False)
    _die_once(room, run, Gate, "run_external", before=True, goes_on=False)
    ToolPolicy.objects.create(
        organization=room.side.organization, agent=room.agent, tool="write_file", policy=Policy.DISABLE
    )
    execute_run(run.pk, run.kind, run.conversation_id)
    room.tried()


def _die_once(room: Room, run: Run, owner: Any, name: str, *, before: bool, goes_on: bool = True) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    def dying(*args: Any, **named: Any) -> Any:
        setattr(owner, name, original)
        if not before:
            original(*args, **named)
        raise Died

    setattr(owner, name, dying)
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    try:
        execute_run(run.pk, run.kind, run.conversation_id)
    except Died:
        connection.close()
    finally:
        setattr(owner, name, original)
    Run.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    if goes_on:
        execute_run(run.pk, run.kind, run.conversation_id)


def _claim(approval: Approval) -> None:
    with transaction.atomic():
        executing.claim(approval.pk, digest=approval.digest, basis=approval.basis)


def _at_once(count: int, act: Callable[[], object]) -> None:
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


ATTACKS = (
    after_it_expired,
    after_it_expired_on_the_way,
    with_a_call_that_was_changed,
    with_an_approval_that_was_changed,
    with_another_call_of_the_run,
    over_a_file_that_changed,
    with_a_tool_that_was_switched_off,
    again_with_the_same_approval,
    in_a_race_for_one_approval,
    by_dying_around_the_execution,
    by_losing_the_right_while_dead,
)
