"""Which coding agent does a task, and what is said where none can."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agents.coding.choosing import choose
from agents.coding.errors import NoBackend
from agents.coding.opencode.backend import fetched_folder
from agents.models import Run, RunKind, RunState, ToolCall
from agents.services.agents import update_agent
from llm.clients.scripted import call, say
from tests.agents.coding.conftest import Coding
from tests.agents.conftest import Engine
from tests.tasks.test_work import ready_task

INSTALLED = ("SPACEBOT_OPENCODE", "SPACEBOT_CLAUDE")


@pytest.fixture
def nothing(engine: Engine, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A machine with no coding agent."""
    for name in INSTALLED:
        setattr(settings, name, "")
    monkeypatch.setenv("PATH", "/nowhere")
    return engine


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_where_none_is_installed_the_built_in_worker_is_offered(nothing: Engine) -> None:
    spawn = call("spawn_worker", task="mend the test", worker_type="coding")
    nothing.script("channel", [spawn, call("reply", content="I see.")])
    nothing.say("please")
    nothing.settle()
    [refused] = ToolCall.objects.filter(name="spawn_worker")
    assert refused.state == "failed"
    assert "./spacebot install opencode" in refused.result
    assert "The built-in worker has shell and files too: leave worker_type out." in refused.result
    assert not Run.objects.filter(kind=RunKind.WORKER).exists()


def test_one_that_goes_before_the_task_begins_is_told_in_the_report(coding: Coding, settings: Any) -> None:
    coding.queue()
    for name in INSTALLED:
        setattr(settings, name, "/nowhere/program")
    coding.engine.settle()
    assert coding.run.state == RunState.FAILED
    assert coding.run.failure is not None
    assert "is no program" in coding.run.failure["message"]
    assert "built-in worker" in coding.run.reports.get().text


def test_a_named_program_comes_first_then_the_fetched_then_the_systems(
    nothing: Engine, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = nothing.team.agent
    with pytest.raises(NoBackend, match="not installed"):
        choose(agent)
    systems = program(tmp_path / "bin" / "opencode")
    monkeypatch.setenv("PATH", str(systems.parent))
    assert choose(agent)[1] == systems
    package = fetched_folder() / "node_modules" / f"opencode-{os.uname().sysname.lower()}-any"
    fetched = program(package / "bin" / "opencode")
    assert choose(agent)[1] == fetched
    settings.SPACEBOT_OPENCODE = str(program(tmp_path / "named" / "opencode"))
    assert choose(agent)[1] == Path(settings.SPACEBOT_OPENCODE)


def test_an_agents_setting_switches_it_off(coding: Coding) -> None:
    team = coding.engine.team
    assert choose(team.agent)[0].name == "opencode"
    agent = update_agent(team.owner, team.agent.pk, settings={"coding": "off"})
    with pytest.raises(NoBackend, match="switched off"):
        choose(agent)


def test_a_task_of_the_board_is_done_by_the_type_of_worker_it_names(coding: Coding) -> None:
    task = ready_task(coding.engine)
    task.worker_type = "coding"
    task.save(update_fields=["worker_type"])
    coding.script(say("Board done.\n\nOutcome: done"))
    spawn = call("spawn_worker", task_number=task.number)
    coding.engine.script("channel", [spawn + call("reply", content="On it."), call("reply", content="Seen.")])
    coding.engine.say("please")
    coding.engine.settle()
    task.refresh_from_db()
    assert (coding.run.state, task.state) == (RunState.SUCCEEDED, "done")
    assert coding.run.input["backend"] == "opencode"
