"""The way out of what runs in the background: the job's own, for as long as it runs."""

from __future__ import annotations

import glob
import tempfile
import time
from collections.abc import Iterator

import pytest

from agents.models import EgressRefusal, RunState
from agents.services.sandboxes import set_walls
from agents.tools import shell_jobs
from llm.clients.scripted import call, say
from tests.agents.conftest import Engine
from tests.agents.sandbox.test_settings import connect_to
from tests.agents.sandbox.test_shell import needs_walls, once_heard, results
from tests.agents.test_children import DONE, start_worker

pytestmark = needs_walls


def open_ways() -> list[str]:
    return glob.glob(f"{tempfile.gettempdir()}/spacebot-way-out-*")


@pytest.fixture(autouse=True)
def _ways_of_ours(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A place for them where no other process makes any; short, for the path of a socket is."""
    tmp_path_factory.getbasetemp()  # Made where it always is, not in here.
    with tempfile.TemporaryDirectory(prefix="spacebot-ways-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture
def proxied(engine: Engine) -> Engine:
    set_walls(engine.team.owner, mode="", network="proxy", writable_paths=[], readable_paths=[])
    assert open_ways() == []
    return engine


def test_it_goes_out_through_the_proxy_and_no_further_and_refusals_are_recorded(proxied: Engine) -> None:
    worker = start_worker(
        proxied,
        call("shell_start", command=f"{connect_to('10.0.0.1:443')}; {connect_to('10.0.0.2:443')}; sleep 600"),
        once_heard(call("shell_output", job="job1"), "HTTP/1.1 403", times=2),
        DONE,
    )
    assert worker.state == RunState.SUCCEEDED
    assert results(worker)[1].count("HTTP/1.1 403") == 2
    refused = EgressRefusal.objects.filter(run=worker).values_list("host", "count")
    assert sorted(refused) == [("10.0.0.1", 1), ("10.0.0.2", 1)]
    assert open_ways() == []


def test_where_no_owner_allows_it_nothing_stands_there(engine: Engine) -> None:
    worker = start_worker(
        engine,
        call("shell_start", command=connect_to("10.0.0.1:443")),
        once_heard(call("shell_output", job="job1"), "refused"),
        DONE,
    )
    assert "Connection refused" in results(worker)[1]
    assert not EgressRefusal.objects.exists()


def test_its_way_out_closes_when_it_ends_by_itself_or_is_stopped_and_not_before(proxied: Engine) -> None:
    seen: list[int] = []

    def count_ways(request: object) -> object:
        """Note how many are open before each step, once what has ended had the time to close."""
        until = time.monotonic() + 30
        want = [0, 1, 2, 1, 0][len(seen)]
        while len(open_ways()) != want and time.monotonic() < until:
            time.sleep(0.05)
        seen.append(len(open_ways()))
        return following.pop(0)

    following = [
        # It closes its output and runs on: its way out stays.
        call(
            "shell_start", command=f"exec >/dev/null 2>&1; sleep 1; {connect_to('10.0.0.3:443')}; sleep 600"
        ),
        call("shell_start", command="sleep 600"),
        call("shell_stop", job="job2"),
        call("shell_stop", job="job1"),
        DONE,
    ]
    proxied.script("channel", [call("spawn_worker", task="do it"), say("Started."), say("Done.")])
    proxied.script("worker", count_ways)  # type: ignore[arg-type]
    proxied.say("go")
    proxied.settle()
    assert seen == [0, 1, 2, 1, 0]
    worker = proxied.runs("worker")[-1]
    assert (worker.state, shell_jobs.running(worker.pk)) == (RunState.SUCCEEDED, [])


def test_a_command_that_does_not_start_leaves_no_way_out(proxied: Engine) -> None:
    too_long = {f"WORD_{number}": "x" * 100_000 for number in range(40)}
    worker = start_worker(proxied, call("shell_start", command="true", environment=too_long), DONE)
    assert "did not start" in results(worker)[0]
    assert open_ways() == []
