"""A verdict that cannot be bad is none: each kind of damage is planted and must be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.models import Report, Run
from llm.clients.scripted import call
from messaging.models import Delivery, Handling, Message
from realtime.models import Event
from spacebot_site.bench.verdict import find_violations, is_settled
from tests.agents.conftest import Engine, engine  # noqa: F401  a fixture


@pytest.fixture
def workspaces(engine: Engine, tmp_path: Path) -> Path:  # noqa: F811
    """One order to work, carried out faultlessly."""
    mark = f"m-{engine.conversation.pk}-1"
    engine.script(
        "channel",
        [
            call("spawn_worker", task=f"work {mark}") + call("reply", content=f"echo {mark}"),
            call("reply", content=f"told {mark}"),
        ],
    )
    engine.script(
        "worker",
        [
            call("append_file", path=f"{mark}.log", content=f"line {mark} 0\n"),
            call("set_outcome", status="done", summary=f"made {mark}"),
        ],
    )
    engine.say(f"work {mark}")
    engine.settle()
    found = tmp_path / "workspaces"
    assert is_settled()
    assert find_violations(found) == []
    return found


def test_a_line_that_was_appended_twice_is_found(workspaces: Path) -> None:
    (log,) = workspaces.glob("*/*/*/*.log")
    log.write_text(log.read_text() * 2)
    assert "2 times" in find_violations(workspaces)[0]


def test_a_message_that_was_never_answered_is_found(workspaces: Path) -> None:
    Message.objects.filter(direction="in").update(handling=Handling.UNANSWERED)
    assert not is_settled()
    assert "is unanswered" in find_violations(workspaces)[0]


def test_a_reply_said_twice_is_found(workspaces: Path) -> None:
    reply = Message.objects.filter(text__startswith="echo").get()
    Message.objects.create(
        organization=reply.organization, conversation=reply.conversation, seq=9, direction="out",
        text=reply.text, run_id=reply.run_id, key="again", created_at=reply.created_at,
    )  # fmt: skip
    found = " ".join(find_violations(workspaces))
    assert "was echoed 2 times" in found
    assert "has holes or doubles" in found
    assert "has the delivery chunks []" in found


def test_a_result_nobody_was_told_is_found(workspaces: Path) -> None:
    Report.objects.update(state="pending", told_by=None)
    assert not is_settled()
    assert "is pending" in find_violations(workspaces)[0]


def test_a_run_without_an_end_is_found(workspaces: Path) -> None:
    Run.objects.filter(kind="worker").update(state="running", finished_at=None)
    assert not is_settled()
    assert "has not ended" in find_violations(workspaces)[0]


def test_an_order_carried_out_twice_is_found(workspaces: Path) -> None:
    worker = Run.objects.get(kind="worker")
    worker.pk, worker.origin_key = None, "twice"
    worker.save()
    assert "was ordered 1 times and started 2 times" in " ".join(find_violations(workspaces))


def test_a_lost_event_and_an_open_delivery_are_found(workspaces: Path) -> None:
    Event.objects.filter(kind="message.created").order_by("number").first().delete()
    Delivery.objects.update(state="sending", finished_at=None)
    found = " ".join(find_violations(workspaces))
    assert "was told of in 0 events" in found
    assert "is sending" in found
