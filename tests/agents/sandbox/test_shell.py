"""The shell tool through the gate: a scripted worker asks, real walls answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEvent, Organization
from agents.models import EgressRefusal, Policy, Run, RunState, SandboxSetting, ToolCall, ToolPolicy
from agents.sandbox import probe
from agents.sandbox.command import Finished
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.launcher import OnOutput, run
from agents.sandbox.probe import Trial
from agents.services.runs import cancel_run
from agents.services.sandboxes import set_walls, walls_of
from agents.tools import shell as shell_module
from agents.tools import shell_jobs, shell_live
from agents.tools.shell import waits_for_input
from llm.clients.scripted import Scripted, call
from llm.types import ChatRequest
from secret_store.models import SecretUse
from secret_store.services import set_secret
from tests.agents.conftest import Engine
from tests.agents.sandbox.conftest import FromFirstWord
from tests.agents.sandbox.small_job import GIT, TESTS, make_repository
from tests.agents.sandbox.test_launcher import IGNORES_AND_DETACHES, mark, survivors
from tests.agents.test_children import DONE, start_worker

needs_walls = pytest.mark.skipif(
    not any(trial.works for trial in probe.trials()), reason="no sandbox works on this machine"
)


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where no driver works: its trials have failed."""
    monkeypatch.setattr(probe, "_trial", lambda driver: Trial(driver.name, False, "not installed"))


def results(run: Run) -> list[str]:
    return list(
        ToolCall.objects.filter(run=run).order_by("step_id", "position").values_list("result", flat=True)
    )


def shell(engine: Engine, *commands: str, **options: Any) -> list[str]:
    steps: list[Scripted] = [call("shell", command=command, **options) for command in commands]
    start_worker(engine, *steps, DONE)
    return results(engine.runs("worker")[-1])[: len(commands)]


@needs_walls
def test_a_worker_runs_commands_in_its_workspace(engine: Engine) -> None:
    first, second = shell(engine, "echo hello > notes.txt; pwd", "cat notes.txt; exit 4")
    assert first.splitlines()[1] == str(engine.workspace)
    assert second.startswith("[exit code 4 after ")
    assert second.endswith("hello")
    assert engine.runs("worker")[0].sandbox == probe.best().name


@needs_walls
def test_commands_reach_neither_our_home_nor_a_neighbour_nor_our_servers(
    engine: Engine, settings: Any
) -> None:
    neighbour = engine.workspace.parent / "other"
    neighbour.mkdir(parents=True)
    (neighbour / "theirs.txt").write_text("theirs")
    (Path(settings.SPACEBOT_HOME) / "config").mkdir(exist_ok=True)
    (Path(settings.SPACEBOT_HOME) / "config" / "secret_key").write_text("ours")
    found = shell(
        engine,
        f"cat {neighbour}/theirs.txt {settings.SPACEBOT_HOME}/config/secret_key 2>&1; ls {settings.SPACEBOT_HOME} 2>&1",
        "env; cat /proc/1/environ | tr '\\0' '\\n'",
    )
    assert "theirs\n" not in found[0] + "\n"
    assert "ours" not in found[0]
    assert "DATABASE_URL" not in found[1]
    assert "postgres" not in found[1]


@needs_walls
def test_folder_and_variables_are_handed_over_and_checked(engine: Engine) -> None:
    worker = start_worker(
        engine,
        call("shell", command="mkdir -p a/b; ln -s / a/out"),
        call("shell", command="pwd; echo $WORD", folder="a/b", environment={"WORD": "ok"}),
        call("shell", command="pwd", folder="/etc"),
        call("shell", command="pwd", folder="a/out"),
        DONE,
    )
    found = results(worker)
    assert found[1].endswith(f"{engine.workspace}/a/b\nok")
    assert "outside your workspace" in found[2]
    assert "links are not followed" in found[3]


@needs_walls
@pytest.mark.parametrize("name", ["LD_PRELOAD", "NODE_OPTIONS", "BASH_ENV", "PYTHONPATH", "ENV", "A=B"])
def test_a_loader_variable_is_refused(engine: Engine, name: str) -> None:
    (found,) = shell(engine, "env", environment={name: "x"})
    assert name in found
    assert "exit code" not in found


@needs_walls
def test_what_was_said_before_a_timeout_is_told_and_nothing_survives(
    engine: Engine, clock: FromFirstWord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heard(*given: Any, on_output: OnOutput, **more: Any) -> Finished:
        return run(*given, on_output=lambda piece: (clock.hear(piece), on_output(piece))[1], **more)

    monkeypatch.setattr(shell_module, "run", heard)
    number = mark()
    (found,) = shell(engine, IGNORES_AND_DETACHES.format(mark=number), timeout_s=1)
    assert found.startswith("[stopped after 1 s")
    assert found.endswith("begun")
    assert survivors(number) == []


@needs_walls
def test_a_timeout_above_the_most_is_cut_and_said(engine: Engine) -> None:
    (found,) = shell(engine, "echo x", timeout_s=9_999)
    assert "timeout_s was cut to 1,800" in found


@needs_walls
def test_a_command_that_asks_is_stopped_with_a_hint(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "SILENCE_S", 0.2)
    (found,) = shell(engine, "printf 'Do you want to continue? [y/N] '; sleep 600")
    assert "waiting for input" in found
    assert "printf 'y\\n'" in found


@pytest.mark.parametrize(
    ("last_words", "waits"),
    [
        (b"Password: ", True), (b"Overwrite? (y/n) ", True), (b"Are you sure? [y/N]", True), (b"Press Enter", True),
        (b"Enter passphrase for key '/x': ", True), (b"done.\n", False), (b"Compiling 3 of 9", False),
        (b"password: x\nworking on it", False), (b"", False),
    ],
)  # fmt: skip
def test_what_looks_like_a_question(last_words: bytes, waits: bool) -> None:
    assert bool(waits_for_input(60, last_words)) is waits
    assert not waits_for_input(1, last_words)


@needs_walls
def test_cancelling_the_run_stops_its_command_and_what_runs_in_the_background(engine: Engine) -> None:
    number = mark()

    def cancel_soon() -> None:
        until = time.monotonic() + 60
        while not survivors(number) and time.monotonic() < until:
            time.sleep(0.02)
        try:
            cancel_run(engine.team.member, Run.objects.get(kind="worker").pk)
        finally:
            connection.close()

    thread = threading.Thread(target=cancel_soon)
    thread.start()
    worker = start_worker(
        engine,
        call("shell_start", command=f"sleep {number}"),
        call("shell", command=IGNORES_AND_DETACHES.format(mark=number)),
        DONE,
    )
    thread.join()
    worker.refresh_from_db()
    assert worker.state == RunState.CANCELLED
    assert survivors(number) == []


def once_heard(step: Scripted, word: str, *, times: int = 1) -> Any:
    """Let a worker take a step as soon as its first command in the background has said a word so often."""

    def wait(request: ChatRequest) -> Scripted:
        job = shell_jobs.find(Run.objects.get(kind="worker").pk, "job1")
        assert job is not None
        until = time.monotonic() + 30
        while said(job).count(word.encode()) < times and time.monotonic() < until:
            time.sleep(0.05)
        return step

    return wait


def said(job: shell_jobs.Job) -> bytes:
    """Return what it has said and nobody has read yet."""
    with job._lock:
        return job._new.value()


@needs_walls
def test_a_background_command_is_read_and_ends_with_the_run(engine: Engine) -> None:
    number = mark()
    worker = start_worker(
        engine,
        call("shell_start", command=f"echo serving; (setsid sleep {number} &); read never; sleep {number}"),
        once_heard(call("shell_output", job="job1"), "serving"),
        call("shell_output", job="job9"),
        DONE,
    )
    found = results(worker)
    assert "job1" in found[0]
    assert found[1] == "[running]\nserving"
    assert "There is no 'job9'" in found[2]
    assert survivors(number) == []
    assert not shell_jobs.running(worker.pk)


@needs_walls
def test_a_background_command_is_stopped_when_told_and_only_five_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(shell_jobs.Job.stop.__kwdefaults__, "grace_s", 30.0)
    starts = [call("shell_start", command=f"sleep 6{n}") for n in range(6)]
    worker = start_worker(
        engine, *starts, call("shell_stop", job="job1"), call("shell_output", job="job1"), DONE
    )
    found = results(worker)
    assert "Stop one first" in found[5]
    assert found[6].startswith("Stopped")
    assert found[7].startswith("[ended with exit code 143]")


@needs_walls
def test_what_it_says_is_shown_while_it_runs(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    def show(organization: int, event: Any) -> None:
        shown.append(event)
        (engine.workspace / "shown").touch()

    monkeypatch.setattr(shell_live, "publish_transient", show)
    shell(engine, "echo one; until [ -e shown ]; do sleep 0.05; done; echo two")
    assert "".join(event.payload["text"] for event in shown) == "one\ntwo\n"
    assert len(shown) >= 2
    assert {event.conversation_id for event in shown} == {engine.conversation.pk}


@needs_walls
def test_tool_secrets_are_variables_and_never_read_by_the_model_nor_shown_to_people(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = engine.team.organization
    set_secret(None, organization, name="DEPLOY_TOKEN", value="kq9-very-hidden-value", category="tool")
    set_secret(None, organization, name="VENDOR_KEY", value="zz7-system-value-here")
    shown: list[Any] = []
    monkeypatch.setattr(shell_live, "publish_transient", lambda organization, event: shown.append(event))
    say = 'echo "${#DEPLOY_TOKEN} [$VENDOR_KEY]"; printf kq9-very-; sleep 0.4; echo hidden-value'
    (found,) = shell(engine, say)
    assert found.splitlines()[1] == "21 []"
    everything = found + "".join(event.payload["text"] for event in shown)
    assert "hidden-value" not in everything
    assert SecretUse.objects.filter(secret__name="DEPLOY_TOKEN").exists()


@needs_walls
def test_where_an_owner_allows_it_a_command_goes_out_through_the_proxy_and_no_further(engine: Engine) -> None:
    head = "CONNECT 10.0.0.1:443 HTTP/1.1\\r\\nHost: 10.0.0.1:443\\r\\n\\r\\n"
    command = f"bash -c \"exec 3<>/dev/tcp/127.0.0.1/3128; printf '{head}' >&3; head -n 1 <&3\""
    (closed,) = shell(engine, command)
    assert "Connection refused" in closed
    set_walls(engine.team.owner, mode="auto", network="proxy", writable_paths=[], readable_paths=[])
    (found,) = shell(engine, command)
    assert "HTTP/1.1 403" in found
    refused = EgressRefusal.objects.get()
    assert (refused.host, refused.port, refused.run_id) == ("10.0.0.1", 443, engine.runs("worker")[-1].pk)


@needs_walls
def test_a_worker_clones_a_repository_mends_a_test_and_reports(engine: Engine) -> None:
    """A small real job, end to end: git, files and a test runner, behind walls."""
    make_repository(engine.workspace / "source")
    start_worker(
        engine,
        call("shell", command="git clone -q source copy"),
        call("shell", command=TESTS, folder="copy"),
        call("read_file", path="copy/sums.py"),
        call("edit_file", path="copy/sums.py", old="a - b", new="a + b"),
        call("shell", command=TESTS, folder="copy"),
        call("shell", command=f"{' '.join(GIT)} commit -qam 'Add adds' && git log --oneline | wc -l", folder="copy"),
        call("set_outcome", status="done", summary="The sum was a difference; mended, the test passes, committed."),
    )  # fmt: skip
    run = engine.runs("worker")[-1]
    found = results(run)
    assert "FAILED" in found[1]
    assert "OK" in found[4]
    assert found[5].splitlines()[-1] == "2"
    assert (run.state, run.sandbox) == (RunState.SUCCEEDED, probe.best().name)


@pytest.mark.usefixtures("no_driver")
def test_without_a_driver_commands_are_refused_until_an_owner_chooses_and_the_toggle_is_read_each_time(
    engine: Engine,
) -> None:
    (found,) = shell(engine, "echo bare")
    assert "no sandbox works on this machine (bubblewrap: not installed" in found
    assert "bare" not in found.split("owner")[0]
    set_walls(engine.team.owner, mode="none", network="none", writable_paths=[], readable_paths=[])
    (found,) = shell(engine, "echo bare")
    assert "[ran without walls]\nbare" in found
    assert engine.runs("worker")[-1].sandbox == "none"
    set_walls(engine.team.owner, mode="auto", network="none", writable_paths=[], readable_paths=[])
    (found,) = shell(engine, "echo bare")
    assert "no sandbox works" in found


@needs_walls
def test_an_agents_setting_counts_before_the_organizations_and_paths_add_up(
    engine: Engine, tmp_path: Path
) -> None:
    extra, shown = (
        tmp_path.resolve().parent / f"{tmp_path.name}-extra",
        tmp_path.resolve().parent / f"{tmp_path.name}-shown",
    )
    for folder in (extra, shown):
        folder.mkdir()
    (shown / "read.me").write_text("shown")
    owner = engine.team.owner
    set_walls(owner, mode="none", network="none", writable_paths=[], readable_paths=[str(shown)])
    set_walls(
        owner,
        agent_id=engine.team.agent.pk,
        mode="auto",
        network="",
        writable_paths=[str(extra)],
        readable_paths=[],
    )
    (found,) = shell(
        engine,
        f"cat {shown}/read.me; echo; echo x > {extra}/new; echo y > {shown}/new; pwd",
        folder=str(extra),
    )
    assert "[ran without walls]" not in found
    assert "shown" in found
    assert (extra / "new").read_text() == "x\n"
    assert not (shown / "new").exists()
    assert AuditEvent.objects.filter(action="sandbox.set").count() == 2


@needs_walls
def test_a_policy_holds_for_it_as_for_any_tool(engine: Engine) -> None:
    ToolPolicy.objects.create(organization=engine.team.organization, tool="shell", policy=Policy.DISABLE)
    (found,) = shell(engine, "touch ran")
    assert not (engine.workspace / "ran").exists()
    assert "exit code" not in found


def test_another_organizations_setting_changes_nothing(engine: Engine) -> None:
    rivals = Organization.objects.get(slug="rivals")
    SandboxSetting.objects.create(organization=rivals, mode="none", writable_paths=["/srv/x"])
    assert walls_of(engine.team.organization.pk, engine.team.agent.pk).mode == "auto"


def test_the_bare_driver_is_never_the_best() -> None:
    assert not DRIVERS["none"].contains
    assert "none" not in {trial.name for trial in probe.trials()}
