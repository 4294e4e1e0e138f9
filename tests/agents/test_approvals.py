"""Tool calls that wait for a person: what is asked, what runs, when, and how often."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Role
from accounts.services.members import change_role
from agents.engine import recovery
from agents.models import CallState, Policy, Run, RunState, ToolCall, ToolPolicy
from agents.services.runs import cancel_run
from llm.clients.scripted import Scripted, call, say
from llm.types import ToolCall as RawCall
from messaging.models import Message
from tasks.models import Approval, ApprovalState
from tasks.services.approvals.deciding import decide
from tasks.services.approvals.grants import GrantOffer
from tests.agents.conftest import Engine

DONE = call("set_outcome", status="done", summary="ok")
WRITE = call("write_file", path="notes.txt", content="hi")


def set_policy(engine: Engine, tool: str, policy: str, *, for_agent: bool = False) -> None:
    ToolPolicy.objects.update_or_create(
        organization=engine.team.organization,
        agent=engine.team.agent if for_agent else None,
        tool=tool,
        defaults={"policy": policy},
    )


def start(engine: Engine, *steps: Any) -> Run:
    engine.script(
        "channel",
        lambda request: (
            call("reply", content="ok")
            if "report worker" in str(request.messages[-1])
            else call("spawn_worker", task="do it") + call("reply", content="started")
        ),
    )
    engine.script("worker", list(steps))
    engine.say("do")
    engine.settle()
    return Run.objects.filter(kind="worker").latest("id")


@pytest.fixture
def asking(engine: Engine) -> Engine:
    set_policy(engine, "write_file", Policy.ASK)
    return engine


def the_approval() -> Approval:
    return Approval.objects.get()


def test_a_call_that_asks_lays_the_run_to_wait_and_does_nothing(asking: Engine) -> None:
    worker = start(asking, WRITE, DONE)
    assert (worker.state, worker.waiting_for) == (RunState.WAITING, "approval")
    assert worker.lease_owner == ""
    assert not (asking.workspace / "notes.txt").exists()
    approval = the_approval()
    assert (approval.state, approval.subject, approval.run_id) == ("open", "write_file", worker.pk)
    assert approval.action["arguments"] == {"path": "notes.txt", "content": "hi"}
    assert "+hi" in approval.preview[0]["text"]
    assert ToolCall.objects.get(name="write_file").state == CallState.WAITING


def test_an_approved_call_runs_once_and_the_run_goes_on_exactly_there(asking: Engine) -> None:
    worker = start(asking, WRITE, DONE)
    asked = len(asking.models["worker"].requests)
    decide(asking.team.moderator, the_approval().pk, "approve", comment="fine")
    asking.settle()
    worker.refresh_from_db()
    assert (worker.state, worker.waiting_for) == (RunState.SUCCEEDED, "")
    assert (asking.workspace / "notes.txt").read_text() == "hi"
    assert len(asking.models["worker"].requests) == asked + 1
    approval = the_approval()
    assert (approval.state, approval.used_at is not None) == (ApprovalState.EXECUTED, True)
    assert ToolCall.objects.get(name="write_file").allowed_by == f"approval:{approval.pk}"


def test_a_rejection_is_told_to_the_model_with_its_comment(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "reject", comment="use another name")
    asking.settle()
    assert not (asking.workspace / "notes.txt").exists()
    assert "use another name" in str(asking.models["worker"].requests[-1].messages[-1])
    assert ToolCall.objects.get(name="write_file").state == CallState.REFUSED


def test_what_nobody_decides_expires_and_the_run_goes_on_with_a_refusal(asking: Engine) -> None:
    worker = start(asking, WRITE, DONE)
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    recovery.sweep()
    assert the_approval().state == ApprovalState.EXPIRED
    asking.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert not (asking.workspace / "notes.txt").exists()


def test_an_approval_that_expired_before_the_run_took_it_up_lets_nothing_run(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    asking.settle()
    assert the_approval().state == ApprovalState.EXPIRED
    assert not (asking.workspace / "notes.txt").exists()
    assert "the approval has expired" in str(asking.models["worker"].requests[-1].messages[-1])


def test_a_decider_who_lost_the_role_before_the_call_runs_does_not_count(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    change_role(asking.team.owner, asking.team.moderator.user.pk, Role.MEMBER)
    asking.settle()
    assert the_approval().state == ApprovalState.FAILED
    assert not (asking.workspace / "notes.txt").exists()
    assert "may no longer decide" in str(asking.models["worker"].requests[-1].messages[-1])


def test_a_requester_who_left_gets_nothing_done_any_more(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    Membership.objects.filter(user=asking.team.member.user).delete()
    asking.settle()
    assert not (asking.workspace / "notes.txt").exists()


def test_arguments_that_change_after_the_approval_do_not_run(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    ToolCall.objects.filter(name="write_file").update(arguments={"path": "other.txt", "content": "hi"})
    asking.settle()
    assert the_approval().state == ApprovalState.FAILED
    assert not asking.workspace.exists() or not list(asking.workspace.iterdir())


def test_a_file_that_changed_since_it_was_shown_is_not_overwritten(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    asking.workspace.mkdir(parents=True, exist_ok=True)
    (asking.workspace / "notes.txt").write_text("something new")
    asking.settle()
    assert (asking.workspace / "notes.txt").read_text() == "something new"
    assert "no longer as it was shown" in str(asking.models["worker"].requests[-1].messages[-1])


def test_calls_after_a_waiting_one_are_held_back_so_that_the_order_is_kept(asking: Engine) -> None:
    worker = start(asking, WRITE + call("read_file", path="notes.txt") + DONE)
    assert worker.state == RunState.WAITING
    states = dict(ToolCall.objects.filter(run=worker).values_list("name", "state"))
    assert set(states.values()) == {CallState.WAITING}
    decide(asking.team.moderator, the_approval().pk, "approve")
    asking.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert ToolCall.objects.get(name="read_file").result == "hi"


def test_several_calls_of_a_step_are_asked_at_once_and_run_in_order(asking: Engine) -> None:
    worker = start(asking, WRITE + call("write_file", path="two.txt", content="2"), DONE)
    first, second = Approval.objects.order_by("id")
    decide(asking.team.moderator, second.pk, "approve")
    asking.settle()
    assert not (asking.workspace / "two.txt").exists()
    decide(asking.team.moderator, first.pk, "approve")
    asking.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert (asking.workspace / "two.txt").read_text() == "2"


def test_cancelling_a_waiting_run_takes_its_question_back(asking: Engine) -> None:
    worker = start(asking, WRITE, DONE)
    cancel_run(asking.team.member, worker.pk)
    assert the_approval().state == ApprovalState.WITHDRAWN
    assert ToolCall.objects.get(name="write_file").state == CallState.REFUSED


def test_a_switched_off_tool_is_not_offered_and_does_not_run(engine: Engine) -> None:
    set_policy(engine, "write_file", Policy.DISABLE)
    start(engine, WRITE, DONE)
    assert "write_file" not in [tool.name for tool in engine.models["worker"].requests[0].tools]
    assert ToolCall.objects.get(name="write_file").state == CallState.REFUSED
    assert not engine.workspace.exists()


def test_a_tool_switched_off_while_its_call_waits_does_not_run(asking: Engine) -> None:
    start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "approve")
    set_policy(asking, "write_file", Policy.DISABLE)
    asking.settle()
    assert not (asking.workspace / "notes.txt").exists()
    assert the_approval().state == ApprovalState.WITHDRAWN


def test_the_policy_of_the_agent_counts_before_that_of_the_organization(asking: Engine) -> None:
    set_policy(asking, "write_file", Policy.ALLOW, for_agent=True)
    worker = start(asking, WRITE, DONE)
    assert worker.state == RunState.SUCCEEDED
    assert not Approval.objects.exists()


def test_a_channel_goes_on_while_its_call_waits_and_the_call_is_made_on_approval(engine: Engine) -> None:
    set_policy(engine, "spawn_worker", Policy.ASK)
    engine.script(
        "channel",
        lambda request: (
            call("reply", content="told")
            if "[report" in str(request.messages[-1]) or "again" in str(request.messages[-1])
            else call("spawn_worker", task="do it") + call("reply", content="it waits")
        ),
    )
    engine.script("worker", [DONE])
    engine.say("do")
    engine.settle()
    assert engine.replies() == ["it waits"]
    assert not Run.objects.filter(kind="worker").exists()
    engine.say("again")
    engine.settle()
    assert engine.replies() == ["it waits", "told"]
    decide(engine.team.moderator, the_approval().pk, "approve")
    assert the_approval().state == ApprovalState.EXECUTED
    assert Run.objects.filter(kind="worker").count() == 1
    engine.settle()
    assert ToolCall.objects.get(name="spawn_worker").state == CallState.SUCCEEDED
    assert engine.replies()[-1] == "told"


def test_a_channel_is_told_of_a_rejection(engine: Engine) -> None:
    set_policy(engine, "spawn_worker", Policy.ASK)
    heard: list[str] = []

    def channel(request: Any) -> Any:
        heard.append(str(request.messages[-1]))
        if "[report" in heard[-1]:
            return say("a pity")
        return call("spawn_worker", task="do it") + call("reply", content="it waits")

    engine.script("channel", channel)
    engine.say("do")
    engine.settle()
    decide(engine.team.moderator, the_approval().pk, "reject", comment="not today")
    engine.settle()
    assert "not today" in heard[-1]
    assert not Run.objects.filter(kind="worker").exists()


def test_a_grant_lets_alike_calls_run_and_no_others(asking: Engine) -> None:
    worker = start(asking, WRITE, WRITE, call("write_file", path="other.txt", content="hi"), DONE)
    offer = GrantOffer(ends_in_s=3_600, fields=("path",))
    decide(asking.team.moderator, the_approval().pk, "approve", grant=offer)
    asking.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.WAITING
    assert Approval.objects.latest("id").action["arguments"]["path"] == "other.txt"
    grants = list(
        ToolCall.objects.filter(name="write_file").order_by("id").values_list("allowed_by", flat=True)
    )
    assert [what.partition(":")[0] for what in grants] == ["approval", "grant", ""]


def test_three_failures_in_a_row_stop_a_tool_for_the_run(engine: Engine) -> None:
    missing = [call("read_file", path=f"nowhere{n}.txt") for n in range(4)]
    start(engine, *missing, DONE)
    states = list(ToolCall.objects.filter(name="read_file").order_by("id").values_list("state", flat=True))
    assert states == ["failed", "failed", "failed", "refused"]


def test_asking_back_reaches_the_conversation_and_an_answer_opens_it_again(asking: Engine) -> None:
    from tasks.services.approvals.deciding import answer

    worker = start(asking, WRITE, DONE)
    decide(asking.team.moderator, the_approval().pk, "ask_back", comment="Why this file?")
    assert "Why this file?" in Message.objects.latest("id").text
    worker.refresh_from_db()
    assert worker.state == RunState.WAITING
    answer(asking.team.member, the_approval().pk, "Because.")
    assert the_approval().state == ApprovalState.OPEN
    decide(asking.team.moderator, the_approval().pk, "approve")
    asking.settle()
    assert (asking.workspace / "notes.txt").exists()


def test_waiting_for_a_person_is_not_active_time(asking: Engine) -> None:
    worker = start(asking, WRITE, DONE)
    before = worker.active_ms
    Run.objects.filter(pk=worker.pk).update(started_at=timezone.now() - timedelta(days=3))
    decide(asking.team.moderator, the_approval().pk, "approve")
    asking.settle()
    worker.refresh_from_db()
    assert worker.state == RunState.SUCCEEDED
    assert worker.active_ms < before + 60_000


def test_where_no_policy_is_set_a_call_costs_no_statement_more(engine: Engine) -> None:
    worker_steps = [call("list_files"), DONE]
    with CaptureQueriesContext(connection) as captured:
        start(engine, *worker_steps)
    assert not [query for query in captured if 'FROM "agents_toolpolicy"' in query["sql"]]


def test_a_command_in_the_background_asks_where_commands_ask(engine: Engine) -> None:
    set_policy(engine, "shell", Policy.ASK)
    start(engine, call("shell_start", command="touch taken"), DONE)
    assert the_approval().subject == "shell_start"
    assert not (engine.workspace / "taken").exists()


def test_what_is_set_for_the_background_itself_holds_there(engine: Engine) -> None:
    set_policy(engine, "shell", Policy.DISABLE)
    set_policy(engine, "shell_start", Policy.ASK)
    start(engine, call("shell_start", command="touch taken"), DONE)
    assert the_approval().subject == "shell_start"


def test_a_long_command_is_shown_whole_and_its_title_says_that_it_goes_on(engine: Engine) -> None:
    set_policy(engine, "shell", Policy.ASK)
    start(engine, call("shell", command=f"echo {'a' * 40_000}\nfolder: docs\ntouch taken"), DONE)
    approval = the_approval()
    assert approval.title.endswith("a…")
    text = approval.preview[0]["text"]
    assert "touch taken" in text
    assert [line for line in text.splitlines() if line.startswith("folder: ")] == ["folder: "]


@pytest.mark.parametrize("odd", ["\0", "\ud800"])
def test_arguments_that_cannot_be_kept_are_refused_and_the_run_goes_on(engine: Engine, odd: str) -> None:
    set_policy(engine, "shell", Policy.ASK)
    bad = Scripted(tool_calls=(RawCall("bad", "shell", json.dumps({"command": f"true{odd}"})),))
    run = start(engine, call("shell", command="true"), bad, DONE)
    decide(
        engine.team.moderator,
        the_approval().pk,
        "approve",
        grant=GrantOffer(ends_in_s=3_600, fields=("command",)),
    )
    engine.settle()
    assert "NUL or half of a character" in ToolCall.objects.filter(name="shell").latest("id").result
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED
