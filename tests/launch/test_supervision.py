"""One supervised child and the identities of processes, without a whole installation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacebot_site.launch.os_processes import MARK, Identity, end, identify, is_alive, list_marked, send
from spacebot_site.launch.processes import Health, Place, Process, Restart
from spacebot_site.launch.state import Child, State, find_running, find_state, write_state
from spacebot_site.launch.supervisor import Supervised


def make_child(home: Path, code: str, **health: float) -> Supervised:
    for folder in ("run", "logs"):
        (home / folder).mkdir(exist_ok=True)
    process = Process(
        "child",
        ("${python}", "-c", code),
        Health(pulse_max_age_s=60, interval_s=0, **health),
        Restart(first_s=1),
    )
    return Supervised(process, Place(home, port=1))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as popen:
        yield popen
        popen.kill()


def wait_for_death(one: Supervised) -> None:
    assert one.popen
    one.popen.wait(30)


def test_a_child_that_dies_is_buried_with_its_last_words_and_started_later(tmp_path: Path) -> None:
    one = make_child(tmp_path, "print('no more ink', flush=True); raise SystemExit(3)")
    one.look(now=0)
    wait_for_death(one)
    one.look(now=10)
    assert one.child.state == "waiting"
    assert "exit code 3" in one.child.reason
    assert one.child.last_lines == ["no more ink"]
    one.look(now=10.5)
    assert one.popen is None, "it waits a second after the first death"
    one.look(now=11.1)
    assert one.popen is not None
    wait_for_death(one)


def test_a_log_that_grows_large_is_moved_aside_while_its_child_writes(tmp_path: Path) -> None:
    one = make_child(tmp_path, "import time; print('x' * 6_000_000, flush=True); time.sleep(60)")
    one.look(now=0)
    deadline = time.monotonic() + 30
    while one.log.stat().st_size <= 6_000_000:  # The end of the line is written last.
        assert time.monotonic() < deadline
        time.sleep(0.01)
    one.look(now=100)
    assert one.log.stat().st_size == 0
    assert one.log.with_suffix(".log.1").stat().st_size > 6_000_000
    one.kill("the test is over")
    wait_for_death(one)


def test_the_wait_doubles_with_each_death_and_has_an_end() -> None:
    restart = Restart(first_s=1, most_s=10)
    assert [restart.delay_s(deaths) for deaths in (1, 2, 3, 4, 5, 6)] == [1, 2, 4, 8, 10, 10]


def test_a_child_that_never_becomes_healthy_is_killed_and_told_so(tmp_path: Path) -> None:
    one = make_child(tmp_path, "import time; time.sleep(60)", start_within_s=0)
    one.look(now=0)
    one.look(now=1)
    wait_for_death(one)
    one.look(now=2)
    assert "SIGKILL" in one.child.reason
    assert "not healthy within" in one.child.reason


def test_a_child_is_healthy_while_its_pulse_is_young(tmp_path: Path) -> None:
    one = make_child(tmp_path, "import time; time.sleep(60)")
    one.look(now=0)
    pulse = tmp_path / "run" / "child.pulse"
    pulse.touch()
    one.look(now=1)
    assert one.child.state == "healthy"
    os.utime(pulse, (time.time() - 100, time.time() - 100))
    one.look(now=2)
    assert one.child.state == "unhealthy"
    one.kill("the test is over")
    wait_for_death(one)


def test_an_identity_is_number_and_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    found = identify(sleeper.pid)
    assert found
    assert is_alive(found)
    another = Identity(found.pid, "another time")
    assert not is_alive(another)
    send(another, signal.SIGKILL)
    assert sleeper.poll() is None, "a number that came back is somebody else's process"
    end([found], timeout_s=30)
    assert not is_alive(found)


def test_only_processes_with_the_mark_of_the_home_are_found(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    environment = {**os.environ, MARK: str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as marked:  # fmt: skip
        assert marked.stdout
        assert marked.stdout.readline(), "while it is being started, its environment may not be seen yet"
        found = {identity.pid for identity in list_marked(tmp_path)}
        assert found == {marked.pid}
        assert list_marked(tmp_path / "other") == []
        marked.kill()


def test_the_state_survives_writing_and_a_dead_supervisor_is_not_running(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me
    state = State(me.pid, me.started, 8000, "http://x", {"web": Child("web", pid=me.pid, started=me.started)})
    write_state(tmp_path, state)
    assert find_running(tmp_path) == state
    write_state(tmp_path, State(me.pid, "another time", 8000, "http://x"))
    assert find_running(tmp_path) is None
    assert find_state(tmp_path) is not None


def test_a_damaged_state_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text('{"pid": 1')
    assert find_state(tmp_path) is None
