"""A worker's small real job in a real browser: its test run is watched while it runs, then its end is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from agents.models import Run, RunKind, RunState, ToolCall
from agents.sandbox import probe
from llm.fakes import FakeProvider, FakeReply, FakeRequest
from llm.fakes.rows import use_fake
from messaging.services.conversations import start_conversation
from tests.agents.sandbox import small_job
from tests.browser.conftest import OpenAs, Program
from tests.browser.test_chat import write
from tests.factories import Team

SLOW_TEST = (
    f"for n in $(seq 200); do [ -e seen ] && break; echo still testing; sleep 0.2; done; {small_job.TEST}"
)
"""Talks until the person has seen it talk, and no longer than 40 s."""

pytestmark = pytest.mark.skipif(
    not any(trial.works for trial in probe.trials()), reason="no sandbox works on this machine"
)


@pytest.fixture
def model(team: Team) -> Iterator[FakeProvider]:
    """A model that lets the channel start a worker, and the worker do the job."""
    job = iter(small_job.steps(test=SLOW_TEST))
    talk = iter(
        [
            FakeReply(
                tool_calls=(("spawn_worker", {"task": "mend the sum"}), ("reply", {"content": "On it."}))
            ),
            FakeReply(tool_calls=(("reply", {"content": "It is mended."}),)),
        ]
    )

    def think(request: FakeRequest) -> FakeReply:
        if "set_outcome" in request.tools:
            return FakeReply(tool_calls=(next(job),))
        return next(talk)

    with FakeProvider(think) as fake:
        use_fake(team.organization, fake)
        yield fake


def test_a_worker_mends_a_test_and_its_command_is_watched_while_it_runs(
    team: Team, environment: dict[str, str], model: FakeProvider, open_as: OpenAs, ticking: Program
) -> None:
    conversation = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    parts = (team.organization.pk, team.agent.pk, conversation.pk)
    workspace = Path(environment["SPACEBOT_HOME"]).joinpath("workspaces", *map(str, parts))
    small_job.plant(workspace)
    page = open_as(team.member, f"/chat/{conversation.pk}/")
    write(page, "please mend the sum")
    expect(page.locator(".run-card")).to_be_visible()
    run = Run.objects.get(kind=RunKind.WORKER)
    page.goto(f"/runs/{run.pk}/")
    live = page.get_by_role("log", name="What the command says")
    expect(live).to_contain_text("still testing\nstill testing\n")
    assert _state(run) == ("running", RunState.RUNNING)
    (workspace / "copy" / "seen").touch()
    expect(page.locator(".run-head")).to_contain_text("Done")
    expect(live).to_be_hidden()
    expect(page.get_by_role("region", name="Result", exact=True)).to_have_text(small_job.SUMMARY)
    tested = page.locator("[aria-label='Result of shell']")
    assert "FAILED" in tested.nth(1).text_content()
    assert "still testing" in tested.nth(2).text_content()
    assert "OK" in tested.nth(2).text_content()
    page.goto(f"/chat/{conversation.pk}/")
    expect(page.locator("#stream")).to_contain_text("It is mended.")


def _state(run: Run) -> tuple[Any, Any]:
    """Return the states of the run's newest call and of the run."""
    run.refresh_from_db()
    return ToolCall.objects.filter(run=run).latest("pk").state, run.state
