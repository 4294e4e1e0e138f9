"""Tools that need something are offered where it is there; elsewhere no prompt pays for them and a call is told why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.browser import finding
from agents.models import CallState, Run, ToolCall
from llm.clients.scripted import call, say
from secret_store.services import delete_secret, set_secret
from tests.agents.conftest import Engine
from tests.agents.test_children import DONE, start_worker
from tests.factories import make_team

KEY = "BRAVE_SEARCH_API_KEY"


def offered(engine: Engine, *calls: Any) -> set[str]:
    """Let a worker make these calls; return which tools its model was offered at first."""
    start_worker(engine, *calls, DONE)
    return {spec.name for spec in engine.models["worker"].requests[0].tools}


@pytest.fixture
def has_chromium(settings: Any, tmp_path: Path) -> bool:
    """Say whether the machine has one that can be contained, told by the look that was not kept."""
    finding._looked.clear()
    return not finding.why_no_browser()


def test_a_worker_is_offered_what_can_work_here(engine: Engine, settings: Any, has_chromium: bool) -> None:
    held = offered(engine)
    assert "web_fetch" in held
    assert "web_search" not in held
    assert ("browser_navigate" in held) is has_chromium
    settings.SPACEBOT_SEARXNG_URL = "http://127.0.0.1:1"
    settings.SPACEBOT_CHROMIUM = "/nothing/here"
    held = offered(engine)
    assert "web_search" in held
    assert not any(name.startswith("browser_") for name in held)


def test_a_browser_that_is_installed_meanwhile_is_found(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_chromium: bool
) -> None:
    if not has_chromium:
        pytest.skip("no browser can be contained here")
    monkeypatch.setattr(finding, "LOOKED_EVERY_S", 3_600.0)
    settings.SPACEBOT_CHROMIUM = str(tmp_path / "chromium")
    assert "is no program" in finding.why_no_browser()
    (tmp_path / "chromium").write_text("#!/bin/sh\n")
    (tmp_path / "chromium").chmod(0o700)
    assert "is no program" in finding.why_no_browser()
    monkeypatch.setattr(finding, "LOOKED_EVERY_S", 0.0)
    assert finding.why_no_browser() == ""


def test_a_key_counts_for_its_own_agent_and_organization_and_from_the_next_run_on(engine: Engine) -> None:
    organization, agent = engine.team.organization, engine.team.agent
    set_secret(None, make_team("others").organization, name=KEY, value="key")
    set_secret(None, organization, name=KEY, value="key", agent_id=agent.pk + 1)
    assert "web_search" not in offered(engine)
    for agent_id in (agent.pk, None):
        set_secret(None, organization, name=KEY, value="key", agent_id=agent_id)
        assert "web_search" in offered(engine)
        delete_secret(None, organization, name=KEY, agent_id=agent_id)
    assert "web_search" not in offered(engine)


def test_a_call_of_what_is_not_offered_is_told_why(engine: Engine, settings: Any) -> None:
    settings.SPACEBOT_CHROMIUM = "/nothing/here"
    offered(engine, call("web_search", query="x"), call("browser_navigate", url="https://example.org/"))
    searched, browsed = (ToolCall.objects.get(name=name) for name in ("web_search", "browser_navigate"))
    assert (searched.state, browsed.state) == (CallState.REFUSED, CallState.REFUSED)
    assert "no search provider is configured" in searched.result
    assert "SPACEBOT_CHROMIUM names /nothing/here" in browsed.result


def test_a_branch_is_offered_searching_where_it_is_set_up(engine: Engine) -> None:
    def branch() -> set[str]:
        engine.script("channel", [call("branch", task="Which day?"), say("A moment."), say("Thursday.")])
        model = engine.script("branch", [say("Thursday.")])
        engine.say("Which day?")
        engine.settle()
        return {spec.name for spec in model.requests[0].tools}

    assert "web_search" not in branch()
    set_secret(None, engine.team.organization, name=KEY, value="key")
    assert "web_search" in branch()


def test_knowing_what_is_there_costs_no_statement(engine: Engine, has_chromium: bool) -> None:
    engine.script("channel", [call("spawn_worker", task="do it"), say("Started."), say("Done.")])
    engine.script("worker", [DONE])
    engine.say("go")
    channel, worker = None, None
    while worker is None:
        Run.objects.filter(state="queued").update(due_at="2020-01-01T00:00:00Z")
        channel = Run.objects.filter(state="queued", kind="channel").first()
        worker = Run.objects.filter(state="queued", kind="worker").first()
        if worker is None:
            assert channel is not None
            assert engine.execute(channel)
    with CaptureQueriesContext(connection) as captured:
        assert engine.execute(worker)
    asked = [query["sql"] for query in captured if KEY in query["sql"]]
    assert len(asked) == 1
    assert "vault_version" in asked[0]
