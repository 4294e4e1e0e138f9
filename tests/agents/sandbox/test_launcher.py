from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agents.sandbox import launcher
from agents.sandbox.command import GB, MB, Access, Command, Limits
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.drivers.seatbelt import profile
from agents.sandbox.errors import BadVariable, CannotStart
from agents.sandbox.inside import tree
from agents.sandbox.launcher import run, spawn
from llm.types import CancelToken
from tests.agents.sandbox.conftest import FromFirstWord, Sh, line

IGNORES_AND_DETACHES = """
trap '' TERM HUP INT
(setsid sh -c 'trap "" TERM HUP INT; (setsid sleep {mark} &) ; sleep {mark}' &)
echo begun
sleep {mark}
"""


def survivors(mark: str) -> list[str]:
    """Return the command lines of living processes that carry a mark."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark in words and state != "Z":
            found.append(words)
    return found


def mark() -> str:
    """Return a length of sleep that no other test uses."""
    return f"9{time.monotonic_ns() % 10**9:09}"


def end_of(number: str) -> list[str]:
    """Return who is left of a mark, once nobody is or none has gone for long."""
    until = time.monotonic() + 30
    while (left := survivors(number)) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def test_it_returns_what_was_said_and_how_it_ended(sh: Sh) -> None:
    done = sh("echo out; echo err >&2; exit 3")
    assert (done.ended, done.exit_code, done.stdout, done.stderr) == ("exited", 3, b"out\n", b"err\n")
    assert not done.succeeded
    assert sh("true").succeeded


def test_both_outputs_can_be_one_in_order(sh: Sh) -> None:
    assert sh("echo 1; echo 2 >&2; echo 3", merge_stderr=True).stdout == b"1\n2\n3\n"


def test_what_was_said_before_a_timeout_is_kept(sh: Sh, clock: FromFirstWord) -> None:
    done = sh("echo early; sleep 600", timeout_s=0.5, on_output=clock.hear)
    assert (done.ended, done.exit_code, done.stdout) == ("timeout", None, b"early\n")


def test_a_timeout_ends_what_ignores_signals_and_has_detached_itself(sh: Sh, clock: FromFirstWord) -> None:
    number = mark()
    done = sh(IGNORES_AND_DETACHES.format(mark=number), timeout_s=0.5, on_output=clock.hear)
    assert (done.ended, done.stdout) == ("timeout", b"begun\n")
    assert done.duration_s < 2 * launcher.STOPPED_WITHIN_S, "its end was not waited for in vain"
    assert survivors(number) == []


def test_a_cancellation_ends_everything_at_once(sh: Sh) -> None:
    number, token, begun = mark(), CancelToken(), threading.Event()
    other = threading.Thread(target=lambda: (begun.wait(60), token.cancel("enough")))
    other.start()
    done = sh(
        IGNORES_AND_DETACHES.format(mark=number),
        timeout_s=600,
        cancel=token,
        on_output=lambda piece: begun.set(),
    )
    other.join()
    assert (done.ended, done.stdout) == ("cancelled", b"begun\n")
    assert done.duration_s < 120
    assert survivors(number) == []


def test_a_token_that_was_cancelled_before_lets_nothing_run_on(sh: Sh) -> None:
    token = CancelToken()
    token.cancel("before")
    assert sh("sleep 60", cancel=token).ended == "cancelled"


def test_nothing_outlives_a_command_that_ended_by_itself(sh: Sh) -> None:
    number = mark()
    assert sh(f"(setsid sleep {number} >/dev/null 2>&1 &); echo done").stdout == b"done\n"
    assert survivors(number) == []


def test_nothing_outlives_us_when_we_are_killed(driver: Sandbox, home: Path) -> None:
    number = mark()
    program = (
        "import sys; from pathlib import Path; from agents.sandbox.drivers import DRIVERS\n"
        "from agents.sandbox.command import Access, Command; from agents.sandbox.launcher import spawn\n"
        "home = Path(sys.argv[1])\n"
        "child = spawn(Command(argv=('/bin/sh', '-c', sys.argv[2]), cwd=home, access=Access(writable=(home,))),"
        " DRIVERS[sys.argv[3]])\n"
        "print(child.stdout.readline().decode(), end='', flush=True); child.wait()\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(home), IGNORES_AND_DETACHES.format(mark=number), driver.name],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"begun\n"
    assert survivors(number)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    assert end_of(number) == []


def test_nothing_behind_walls_outlives_a_keeper_that_is_killed(walls: Sandbox, home: Path) -> None:
    number = mark()
    child = spawn(line(IGNORES_AND_DETACHES.format(mark=number), home), walls)
    assert child.stdout is not None
    assert child.stdout.readline() == b"begun\n"
    os.kill(int(Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    assert child.wait(30)
    assert end_of(number) == []
    assert child.exit_code is None
    child.close()


def test_a_child_outlives_the_thread_that_spawned_it(driver: Sandbox, home: Path) -> None:
    children = []
    thread = threading.Thread(target=lambda: children.append(spawn(line("cat", home), driver)))
    thread.start()
    thread.join()
    with children[0] as child:
        child.stdin.write(b"still here\n")
        assert child.stdout.readline() == b"still here\n"
        assert not child.poll()


def test_a_spawned_child_speaks_until_it_is_stopped(driver: Sandbox, home: Path) -> None:
    number = mark()
    child = spawn(line(f"(setsid sleep {number} &); while read word; do echo got $word; done", home), driver)
    assert child.stdin is not None
    assert child.stdout is not None
    for word in (b"one", b"two"):
        child.stdin.write(word + b"\n")
        assert child.stdout.readline() == b"got " + word + b"\n"
    child.stop()
    assert child.ended
    assert survivors(number) == []
    child.stop()


def test_stop_asks_first(driver: Sandbox, home: Path) -> None:
    child = spawn(line("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done", home), driver)
    assert child.stdout is not None
    assert child.stdout.readline() == b"up\n"
    child.terminate()
    assert child.wait(30)
    assert child.stdout.read() == b"bye\n"
    assert child.exit_code == 7
    child.close()


def test_a_program_that_is_missing_is_named(driver: Sandbox, home: Path) -> None:
    command = Command(argv=("/bin/no-such-program",), cwd=home, access=Access(writable=(home,)))
    if driver.name == "bubblewrap":
        assert run(command, driver, timeout_s=30).exit_code == 1
    else:
        with pytest.raises(CannotStart, match="no-such-program"):
            run(command, driver, timeout_s=30)
    with pytest.raises(CannotStart, match="folder"):
        run(Command(argv=("true",), cwd=home / "missing"), driver, timeout_s=30)


def test_the_environment_is_built_from_nothing(sh: Sh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-parent")
    found = sh("env", environment={"MINE": "1"}, secrets={"DEPLOY_KEY": "s3cret"}).stdout.decode()
    names = {part.partition("=")[0] for part in found.splitlines()}
    assert {"MINE", "DEPLOY_KEY", "PATH", "HOME"} <= names
    assert "sk-parent" not in found
    assert names.isdisjoint({"DATABASE_URL", "REDIS_URL", "SPACEBOT_HOME", "PYTHONPATH", "VIRTUAL_ENV"})


def test_secrets_stand_in_no_arguments(driver: Sandbox, home: Path) -> None:
    value = f"secret-{mark()}"
    with spawn(line("echo ready; cat", home, secrets={"DEPLOY_KEY": value}), driver) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert survivors(value) == []
    assert value not in repr(line("x", home, secrets={"DEPLOY_KEY": value}))


@pytest.mark.parametrize(
    "name",
    [
        "LD_PRELOAD",
        "ld_preload",
        "NODE_OPTIONS",
        "BASH_ENV",
        "PYTHONPATH",
        "a b",
        "",
        "A=B",
        "GIT_CONFIG_COUNT",
    ],
)
def test_variables_that_change_what_programs_load_are_refused(driver: Sandbox, home: Path, name: str) -> None:
    for options in ({"environment": {name: "x"}}, {"secrets": {name: "x"}}):
        with pytest.raises(BadVariable):
            run(line("true", home, **options), driver, timeout_s=30)


def test_output_is_kept_from_both_ends_and_shown_as_it_comes(sh: Sh) -> None:
    pieces: list[bytes] = []
    done = sh("echo first; seq 1 100000; echo last", on_output=pieces.append, limits=Limits(kept_bytes=2_000))
    assert done.stdout.startswith(b"first\n1\n")
    assert done.stdout.endswith(b"last\n")
    assert len(done.stdout) < 2_100
    assert done.dropped_bytes > 500_000
    assert b"".join(pieces).count(b"\n") == 100_002


def test_a_flood_of_output_is_stopped(sh: Sh) -> None:
    done = sh("yes", limits=Limits(output_bytes=4 * MB))
    assert (done.ended, done.limit) == ("limit", "output")


def test_a_burst_of_processes_is_stopped(sh: Sh) -> None:
    done = sh("for i in $(seq 400); do sleep 60 & done; wait", limits=Limits(processes=60), timeout_s=120)
    assert (done.ended, done.limit) == ("limit", "processes")


def test_a_fork_bomb_is_stopped_and_nothing_is_left_of_it(sh: Sh) -> None:
    """The bomb is one that burns out by itself, should nothing stop it: two thousand shells in all."""
    number = mark()
    bomb = (
        'f() { if [ "$1" -gt 0 ]; then f $(($1 - 1)) | f $(($1 - 1)) & fi; sleep 0.2; }; f 10; sleep '
        + number
    )
    done = sh(bomb, limits=Limits(processes=60), timeout_s=120)
    assert (done.ended, done.limit) == ("limit", "processes")
    assert survivors(number) == []


def test_memory_is_bounded_for_a_process_and_for_the_tree(sh: Sh) -> None:
    hungry = "dd if=/dev/zero of=/dev/null bs=300M count=1 2>&1"
    assert not sh(hungry, limits=Limits(memory_bytes=200 * MB)).succeeded
    assert sh(hungry, limits=Limits(memory_bytes=GB)).succeeded
    tree = "for i in 1 2 3; do dd if=/dev/zero of=/dev/null bs=100M count=1000000 2>/dev/null & done; wait"
    done = sh(tree, limits=Limits(total_memory_bytes=150 * MB), timeout_s=120)
    assert (done.ended, done.limit) == ("limit", "memory")


def test_files_descriptors_and_time_of_the_processor_are_bounded(sh: Sh, home: Path) -> None:
    done = sh("head -c 3000000 /dev/zero > big; wc -c < big", limits=Limits(file_bytes=MB))
    assert done.stdout.strip() == str(MB).encode()
    assert sh("ulimit -n", limits=Limits(open_files=99)).stdout == b"99\n"
    assert not sh("while :; do :; done", limits=Limits(cpu_s=1), timeout_s=120).succeeded


def test_a_glance_can_stop_it(sh: Sh) -> None:
    done = sh(
        "printf 'Sure? '; cat <&3", on_glance=lambda silence_s, last: "asks" if last.endswith(b"? ") else ""
    )
    assert done.stdout.startswith(b"Sure? ")
    done = sh(
        "printf 'Sure? '; sleep 60", on_glance=lambda silence_s, last: "asks" if last.endswith(b"? ") else ""
    )
    assert (done.ended, done.limit) == ("limit", "asks")


def test_the_tree_finds_what_is_below() -> None:
    with spawn(line("sleep 60 & sleep 60", Path("/tmp")), DRIVERS["none"]) as child:
        until = time.monotonic() + 30
        while len(tree.descendants(os.getpid())) < 4 and time.monotonic() < until:
            time.sleep(0.02)
        assert child.pid in tree.descendants(os.getpid())


def test_the_profile_for_macos_denies_by_default_and_quotes_paths(home: Path) -> None:
    odd = home / 'a") (allow default) ("'
    text = profile(line("true", home, access=Access(writable=(odd,))))
    assert "(deny default)" in text
    assert "network" not in text
    assert '\\") (allow default) (\\""' in text
    with pytest.raises(CannotStart):
        profile(line("true", home, access=Access(readable=(home / "a\n(allow default)",))))
