"""A coding worker in a real browser: what it says and what its commands say is seen while it is said."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from agents.models import Run, RunKind
from llm.fakes import FakeProvider, FakeReply
from llm.fakes.replies import FakeRequest
from llm.fakes.rows import use_fake
from llm.types import ToolResult
from tests.agents.coding.peers import opencode
from tests.browser.conftest import (
    ENOUGH,
    OpenAs,
    Program,
    check_accessible,
    check_talks,
    talk_until_enough,
    workspace_of,
)
from tests.browser.test_access import check_fits
from tests.browser.test_chat import private_chat, write
from tests.factories import Team

LOUD = talk_until_enough("line")


def brain(request: FakeRequest) -> FakeReply:
    """Delegate as a channel; as the coding agent say something, run a slow command, and end."""
    if "spawn_worker" in request.tools:
        if "report" in str(request.messages[-1]):
            return FakeReply(tool_calls=(("reply", {"content": "It is mended."}),))
        spawn = {"task": "Mend the failing test", "worker_type": "coding"}
        return FakeReply(tool_calls=(("spawn_worker", spawn), ("reply", {"content": "On it."})))
    if "bash" not in request.tools:
        return FakeReply(text="A title")
    if any(isinstance(message, ToolResult) for message in request.messages):
        return FakeReply(text="The test passes now.\n\nOutcome: done")
    return FakeReply(
        text="I run the tests first.", tool_calls=(("bash", {"command": LOUD, "description": "tests"}),)
    )


@pytest.fixture
def coder(worker: Program, team: Team) -> Iterator[Program]:
    """The worker that every test here shares, with opencode where `./spacebot install opencode` puts it."""
    fetched = Path(worker.environment["SPACEBOT_HOME"]) / "opencode"
    place = fetched / "node_modules" / "opencode-here" / "bin"
    place.mkdir(parents=True)
    (place / "opencode").symlink_to(opencode())
    with FakeProvider(brain) as fake:
        use_fake(team.organization, fake)
        yield worker
    shutil.rmtree(fetched)


def test_a_coding_worker_is_watched_while_it_works(team: Team, open_as: OpenAs, coder: Program) -> None:
    chat = private_chat(team)
    page = open_as(team.member, f"/chat/{chat.pk}/")
    write(page, "Please mend the failing test")
    expect(page.get_by_text("On it.", exact=True)).to_be_visible(timeout=60_000)
    run = Run.objects.get(kind=RunKind.WORKER)
    page.goto(f"/runs/{run.pk}/")
    live = page.locator("#run-live")
    check_talks(live, "line")
    run.refresh_from_db()
    assert run.state == "running"
    (workspace_of(coder.environment, team, chat.pk) / ENOUGH).touch()
    body = page.locator("article.run")
    expect(body).to_contain_text("The test passes now.", timeout=60_000)
    expect(body).to_contain_text("shell")
    expect(body.get_by_text(re.compile("opencode 1"))).to_have_count(2)
    expect(live).to_be_hidden()
    check_accessible(page)
    check_fits(page)
