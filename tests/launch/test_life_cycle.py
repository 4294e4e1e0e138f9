"""Start, kill, start again, stop: on a real home with real processes."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest

from spacebot_site.launch import embedded
from spacebot_site.launch.health import answers
from spacebot_site.launch.home import ROOT
from tests.launch.conftest import Installation

pytestmark = pytest.mark.slow

NAMES = {"supervisor", "web", "worker", "worker-2", "gateway", "postgres", "valkey"}


def eventually(check: Callable[[], Any], *, within_s: float = 90) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def count_users(installation: Installation) -> int:
    with connect(installation) as connection:
        row = connection.execute("select count(*) from accounts_user").fetchone()
    assert row is not None
    return int(row[0])


def connect(installation: Installation) -> psycopg.Connection:
    """Connect as soon as PostgreSQL lets anybody in: it refuses while it recovers."""

    def try_it() -> psycopg.Connection | None:
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(embedded.services(installation.home).database_url)
        return None

    connection: psycopg.Connection = eventually(try_it)
    return connection


def servers(installation: Installation) -> set[int]:
    found = embedded.identities(installation.home).values()
    return {identity.pid for identity in found if identity}


def test_everything_is_healthy_after_a_start(running: Installation) -> None:
    found = running.status()
    assert found["healthy"]
    assert {process["name"] for process in found["processes"]} >= NAMES
    assert {process["state"] for process in found["processes"]} == {"healthy"}
    assert answers(running.port, "/healthz")


def test_a_second_start_joins_what_runs_and_gives_a_new_link(running: Installation) -> None:
    before = {process["name"]: process["pid"] for process in running.status()["processes"]}
    done = running.run("start")
    assert done.returncode == 0, done.stderr
    assert "already runs" in done.stdout
    assert re.search(rf"http://127\.0\.0\.1:{running.port}/\S+", done.stdout)
    assert {process["name"]: process["pid"] for process in running.status()["processes"]} == before


def test_a_start_on_another_port_while_running_is_refused_in_one_line(running: Installation) -> None:
    done = running.run("start", "--port", str(running.port + 1))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "restart --port" in done.stderr


def test_a_killed_child_comes_back_and_status_says_why(running: Installation) -> None:
    pid = running.process("web")["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: running.process("web")["pid"] not in (pid, None) and running.status()["healthy"])
    assert "SIGKILL" in running.process("web")["reason"]
    assert running.process("web")["restarts"] == 1


def test_a_killed_worker_comes_back_while_the_other_one_works(running: Installation) -> None:
    pids = {name: running.process(name)["pid"] for name in ("worker", "worker-2")}
    os.kill(pids["worker"], signal.SIGKILL)
    said = running.run("chat", "hello")
    assert said.returncode == 0, said.stderr
    eventually(lambda: running.process("worker")["pid"] not in (pids["worker"], None))
    eventually(lambda: running.status()["healthy"])
    assert running.process("worker-2")["pid"] == pids["worker-2"]


def test_killed_servers_come_back_with_their_data(running: Installation) -> None:
    users = count_users(running)
    killed = servers(running)
    assert len(killed) == 2
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(servers(running) - killed) == 2)
    assert count_users(running) == users


def test_a_start_recovers_after_everything_was_killed(running: Installation) -> None:
    users = count_users(running)
    eventually(lambda: len(running.leftovers()) >= len(NAMES))
    for pid in running.leftovers():
        with contextlib.suppress(ProcessLookupError):  # It went with one that was killed before.
            os.kill(pid, signal.SIGKILL)
    assert running.run("status").returncode == 3
    done = running.run("start")
    assert done.returncode == 0, done.stderr
    assert running.status()["healthy"]
    assert count_users(running) == users


def test_a_start_takes_the_place_of_children_whose_supervisor_was_killed(running: Installation) -> None:
    before = {process["name"]: process["pid"] for process in running.status()["processes"]}
    os.kill(before["supervisor"], signal.SIGKILL)
    eventually(lambda: not running.status()["running"])
    assert answers(running.port, "/healthz"), "the web process goes on without its supervisor"
    done = running.run("start")
    assert done.returncode == 0, done.stderr
    after = {process["name"]: process["pid"] for process in running.status()["processes"]}
    assert after["postgres"] == before["postgres"], "a server that runs is gone on with"
    assert not {before[name] for name in ("web", "worker", "worker-2", "gateway")} & set(running.leftovers())


def test_a_second_start_takes_no_step_twice(running: Installation) -> None:
    collected = running.home / "static" / "staticfiles.json"
    before = collected.stat().st_mtime_ns
    running.run("stop")
    done = running.run("start")
    assert done.returncode == 0, done.stderr
    assert collected.stat().st_mtime_ns == before
    for step in ("Making", "Installing", "Fetching", "Preparing"):
        assert step not in done.stderr


def test_another_home_runs_beside_it(running: Installation, home: Any) -> None:
    beside = Installation(home)
    done = beside.run("start", "--port", str(beside.port))
    try:
        assert done.returncode == 0, done.stderr
        assert running.status()["healthy"]
        with urlopen(f"http://127.0.0.1:{beside.port}/static/css/tokens.css", timeout=30) as answer:
            assert answer.status == 200
    finally:
        beside.run("stop")
    assert beside.leftovers() == []
    assert running.status()["healthy"]


def test_stop_leaves_no_process_and_may_be_repeated(running: Installation) -> None:
    assert running.leftovers()
    done = running.run("stop")
    assert (done.returncode, done.stdout) == (0, "Spacebot stopped.\n")
    assert running.leftovers() == []
    assert running.run("stop").stdout == "Spacebot was not running.\n"
    assert running.run("status").returncode == 3


def test_in_the_foreground_it_ends_with_its_signal(running: Installation) -> None:
    environment = {**os.environ, "SPACEBOT_HOME": str(running.home), "SPACEBOT_PORT": str(running.port)}
    for name in ("DATABASE_URL", "REDIS_URL"):
        environment.pop(name, None)
    with subprocess.Popen(
        [str(ROOT / "spacebot"), "start", "--foreground"], env=environment, stdout=subprocess.PIPE, text=True
    ) as popen:
        assert popen.stdout is not None
        while "Sign in" not in popen.stdout.readline():
            assert popen.poll() is None
        popen.terminate()
        assert popen.wait(120) == 0
    assert running.leftovers() == []
