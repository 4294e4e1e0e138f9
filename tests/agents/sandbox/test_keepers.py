"""The keeper that is started ahead: it holds nothing, ends with us and by itself, and is nobody's twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.sandbox import keepers
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.launcher import run, spawn
from tests.agents.sandbox.conftest import Sh, line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")


@pytest.fixture(autouse=True)
def _none_is_ready() -> Iterator[None]:
    keepers.discard_spare()
    yield
    keepers.discard_spare()


def spare() -> keepers.Keeper:
    (found,) = keepers._spare
    return found


def state_of(pid: int) -> str:
    """Return the state of a process: Z where it has ended and nobody has taken note, nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def until(happens: Callable[[], bool], *, within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_next_command_is_kept_by_the_one_that_was_started_ahead(
    driver: Sandbox, home: Path, sh: Sh
) -> None:
    assert sh("echo one").stdout == b"one\n"
    ready = spare()
    with spawn(line("cat", home), driver) as child:
        assert child._keeper is ready.process
        assert spare() is not ready


def test_it_holds_nothing_but_the_socket_before_it_is_told(sh: Sh) -> None:
    sh("true")
    pid = spare().process.pid
    until(lambda: "python" in Path(f"/proc/{pid}/comm").read_text())
    until(lambda: _open(pid) == ["/dev/null", "/dev/null", "/dev/null", "socket"])
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


def _open(pid: int) -> list[str]:
    """What the process holds open, by kind or path, in order; what it closes meanwhile is left out."""
    places = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            places.append(os.readlink(f"/proc/{pid}/fd/{number}").partition(":")[0])
    return sorted(places)


def test_commands_see_neither_it_nor_what_came_before_them(driver: Sandbox, home: Path) -> None:
    first = line("echo $WORD", home, environment={"WORD": "first"})
    second = line("echo [$WORD]; cat; ls /proc/self/fd | wc -l", home)
    assert run(first, driver, timeout_s=30).stdout == b"first\n"
    with (home / "given").open("w+b") as given:
        given.write(b"given\n")
        given.seek(0)
        said = run(second, driver, timeout_s=30, stdin=given).stdout
    alone = run(line("ls /proc/self/fd | wc -l", home), driver, timeout_s=30).stdout
    assert said == b"[]\ngiven\n" + alone


def test_one_that_nobody_wants_ends_by_itself(sh: Sh, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(keepers, "IDLE_S", 1)
        sh("true")
    pid = spare().process.pid
    until(lambda: state_of(pid) == "Z")
    assert sh("echo on").stdout == b"on\n"
    assert state_of(pid) == ""


def test_one_that_is_old_or_was_killed_is_not_used(sh: Sh, monkeypatch: pytest.MonkeyPatch) -> None:
    sh("true")
    killed = spare()
    os.kill(killed.process.pid, signal.SIGKILL)
    until(lambda: state_of(killed.process.pid) == "Z")
    assert sh("echo on").stdout == b"on\n"
    old = spare()
    monkeypatch.setattr(keepers, "USED_WITHIN_S", 0.0)
    assert sh("echo on").stdout == b"on\n"
    assert [state_of(each.process.pid) for each in (killed, old)] == ["", ""]


def test_it_ends_when_we_are_killed(home: Path) -> None:
    program = "from agents.sandbox import keepers; keepers.prepare(); print(keepers._spare[0].process.pid, flush=True); input()"
    us = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert us.stdout is not None
    assert us.stdin is not None
    pid = int(us.stdout.readline())
    assert state_of(pid) in "RSD"
    us.kill()
    us.wait()
    for pipe in (us.stdin, us.stdout):
        pipe.close()
    until(lambda: state_of(pid) in ("", "Z"))


def test_a_fork_of_ours_does_not_use_it(sh: Sh) -> None:
    sh("true")
    ready = spare()
    assert ready.is_ready
    elsewhere = keepers.Keeper(ready.process, ready.control, owner=os.getpid() + 1)
    assert not elsewhere.is_ready


def test_many_commands_at_once_have_a_keeper_each(driver: Sandbox, home: Path) -> None:
    said: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda n=number: said.append(run(line(f"echo {n}", home), driver, timeout_s=30).stdout)
        )
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said, key=int) == [f"{number}\n".encode() for number in range(12)]
    assert len(keepers._spare) == 1
