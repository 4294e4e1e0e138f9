"""A worker does a small real job, and is watched at it: a repository is cloned, a failing test mended, run and reported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from agents.models import Run, RunKind, ToolCall
from agents.sandbox import probe
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import FakeRequest
from llm.fakes.rows import use_fake
from llm.types import ToolResult
from messaging.models import Conversation
from tests.agents.sandbox.small_job import TESTS, make_repository
from tests.browser.conftest import (
    ENOUGH,
    OpenAs,
    check_accessible,
    check_talks,
    talk_until_enough,
    workspace_of,
)
from tests.browser.test_access import check_fits
from tests.browser.test_chat import private_chat, write
from tests.factories import Team

SLOWLY = talk_until_enough("checking part", place="..") + "; "
SUMMARY = "add() subtracted. It adds now, and its test passes."
STEPS: tuple[tuple[str, dict[str, object]], ...] = (
    ("shell", {"command": "git clone -q source copy"}),
    ("shell", {"command": TESTS, "folder": "copy"}),
    ("read_file", {"path": "copy/sums.py"}),
    ("edit_file", {"path": "copy/sums.py", "old": "a - b", "new": "a + b"}),
    ("shell", {"command": SLOWLY + TESTS, "folder": "copy"}),
    ("set_outcome", {"status": "done", "summary": SUMMARY}),
)

pytestmark = pytest.mark.skipif(
    not any(trial.works for trial in probe.trials()), reason="no sandbox works on this machine"
)


def brain(request: FakeRequest) -> FakeReply:
    """Delegate as a channel; as the worker take one step after the other."""
    if "spawn_worker" in request.tools:
        if "report" in str(request.messages[-1]):
            return FakeReply(tool_calls=(("reply", {"content": SUMMARY}),))
        spawn = ("spawn_worker", {"task": "Mend the failing test in source"})
        return FakeReply(tool_calls=(spawn, ("reply", {"content": "I have it looked at."})))
    done = sum(isinstance(message, ToolResult) for message in request.messages)
    return FakeReply(tool_calls=(STEPS[min(done, len(STEPS) - 1)],))


@pytest.fixture
def models(team: Team) -> Iterator[None]:
    with FakeProvider(brain) as fake:
        use_fake(team.organization, fake)
        yield


@pytest.fixture
def chat(team: Team, environment: dict[str, str]) -> Conversation:
    """A conversation whose workspace holds a repository with a failing test."""
    conversation = private_chat(team)
    make_repository(workspace_of(environment, team, conversation.pk) / "source")
    return conversation


@pytest.mark.usefixtures("models", "ticking")
def test_a_small_job_is_done_and_its_output_is_seen_while_it_is_said(
    team: Team, chat: Conversation, environment: dict[str, str], open_as: OpenAs
) -> None:
    page = open_as(team.member, f"/chat/{chat.pk}/")
    write(page, "The test in source fails, please mend it")
    stream = page.locator("#stream")
    expect(stream).to_contain_text("I have it looked at.", timeout=60_000)
    run = Run.objects.get(kind=RunKind.WORKER)
    page.goto(f"/runs/{run.pk}/")
    live = page.locator("#run-live")
    check_talks(live, "checking part")
    run.refresh_from_db()
    assert run.state == "running"
    assert ToolCall.objects.filter(run=run, state="running").get().name == "shell"
    (workspace_of(environment, team, chat.pk) / ENOUGH).touch()
    body = page.locator("article.run")
    expect(body).to_contain_text(SUMMARY, timeout=60_000)
    expect(live).to_be_hidden()
    expect(body.locator(".run-head")).to_contain_text("Done")
    check_accessible(page)
    check_fits(page)
    results = list(ToolCall.objects.filter(run=run, name="shell").values_list("result", flat=True))
    assert "FAILED" in results[1]
    assert results[2].rstrip().endswith("OK")
    page.goto(f"/chat/{chat.pk}/")
    expect(stream).to_contain_text(SUMMARY, timeout=60_000)
