"""A coding worker whose executor, program or machine is lost goes on; nothing is done twice."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from agents.coding.conversation import Conversation
from agents.coding.opencode.server import Server
from agents.coding.place import home_of
from agents.engine import records
from agents.jobs import prune_coding_homes
from agents.models import Policy, RunState
from agents.services.runs import cancel_run
from llm.clients.scripted import call, say
from llm.types import UserMessage
from tasks.models import Approval
from tasks.services.approvals.deciding import decide
from tests.agents.coding.conftest import Coding
from tests.agents.test_recovery import Killed, die_at, expire

ONCE = call("bash", command="echo x >> log.txt", description="append")
END = say("Done.\n\nOutcome: done")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("owner", "name"),
    [(Conversation, "answer"), (records, "store_calls"), (Conversation, "perform")],
)
def test_a_lost_executor_is_followed_by_one_that_goes_on(
    coding: Coding, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, before: bool
) -> None:
    coding.script(
        lambda request: END if (coding.engine.workspace / "log.txt").exists() else ONCE,
        lambda request: END if (coding.engine.workspace / "log.txt").exists() else ONCE,
        END,
        END,
    )
    run = coding.queue()
    die_at(monkeypatch, owner, name, before=before)
    with pytest.raises(Killed):
        coding.engine.execute(run)
    run.refresh_from_db()
    session = run.input.get("session")
    expire(run)
    assert coding.engine.execute(run)
    coding.engine.settle()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    assert session is None or run.input["session"] == session
    lines = (coding.engine.workspace / "log.txt").read_text().splitlines()
    assert lines == ["x"]


def test_a_program_that_dies_is_started_again_and_goes_on(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers: list[Server] = []
    original = Server.follow
    monkeypatch.setattr(Server, "follow", lambda self: (servers.append(self), original(self))[1])

    def die(request: Any) -> Any:
        servers[0].child.kill()
        assert servers[0].child.wait(60)
        return END

    coding.script(die, END)
    run = coding.start()
    assert run.state == RunState.SUCCEEDED, run.failure
    assert len(servers) == 2
    said = [message.text for message in coding.asked[-1].messages if isinstance(message, UserMessage)]
    assert said[0].startswith("[your task]")
    assert said[-1].startswith("You were interrupted.")


def test_a_session_that_is_lost_is_told_anew_what_was_done(either: Coding) -> None:
    either.policy("write_file", Policy.ASK)
    write = either.write("b.txt", "x")
    either.script(either.bash("echo x >> log.txt"), write, END)
    run = either.start()
    assert run.state == RunState.WAITING
    shutil.rmtree(home_of(run))
    decide(either.engine.team.moderator, Approval.objects.get().pk, "reject", comment="no files")
    either.engine.settle()
    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED, run.failure
    said = "\n".join(message.text for message in either.asked[-1].messages)
    assert "Your earlier session is lost." in said
    assert "Mend the test" in said
    assert "echo x >> log.txt" in said
    assert "no files" in said


def test_its_home_goes_with_the_run(coding: Coding) -> None:
    coding.script(END)
    run = coding.start()
    assert not home_of(run).exists()


def test_the_home_of_a_run_that_was_stopped_while_it_waited_is_pruned(coding: Coding) -> None:
    coding.script(END)
    run = coding.start(interactive=True)
    assert home_of(run).exists()
    prune_coding_homes()
    assert home_of(run).exists()
    cancel_run(coding.engine.team.member, run.pk, reason="enough")
    prune_coding_homes()
    assert not home_of(run).exists()
