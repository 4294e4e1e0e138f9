"""What stands around the browser, with each driver that this machine has."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents.browser import door, sessions, walls
from agents.browser.loop import drive
from agents.browser.session import Session
from agents.errors import ToolFailed, ToolRetry
from agents.models import Run
from agents.sandbox import probe
from agents.sandbox.drivers import DRIVERS, root
from agents.sandbox.errors import CannotStart, NotContained
from agents.sandbox.inside import tree
from tests.agents.egress.site import Site

pytestmark = pytest.mark.browser
Use = Callable[..., str]
FILTERED = "2"
SHOWN = [Path(sys.prefix), Path(sys.base_prefix)]
ELSEWHERE = [
    f"{place}/" for place in ("/home", "/root") if not any(path.is_relative_to(place) for path in SHOWN)
]
"""Where people keep things; our interpreter, which is shown, may be among them."""
HOG = b"""<script>const kept = []; setInterval(() => {
    for (let i = 0; i < 8; i++) { const more = new Uint8Array(16 * 1024 * 1024); more.fill(7); kept.push(more); }
}, 50)</script>Hungry"""


@pytest.fixture(params=[name for name, driver in DRIVERS.items() if driver.has_ways])
def driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    found = DRIVERS[request.param]
    if not probe.try_driver(found).works:
        pytest.skip(f"{request.param} does not work here")
    monkeypatch.setattr(probe, "best", lambda: found)
    return str(request.param)


def opened(use: Use, site: Site, run: Run, page: bytes = b"x") -> Session:
    site.pages = {"/": (200, {}, page)}
    use("navigate", url=site.url)
    session = sessions.find_session(run.pk)
    assert session is not None
    return session


def processes(name: str) -> list[int]:
    """Return the browser's processes that stand below us, however they are parented."""
    return [pid for pid in tree.descendants(os.getpid()) if name in command_line(pid)]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def variables(pid: int) -> str:
    """Return what a process was given, nothing where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def statuses(pids: list[int]) -> list[dict[str, str]]:
    """Return what the kernel says of those that have not ended meanwhile."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            found.append(dict(line.split(":\t", 1) for line in lines))
    return found


def until_it_ends(act: Callable[[], str]) -> str:
    """Do it again and again until it fails; return what the model would read then."""
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            act()
        except ToolRetry as error:
            return str(error)
        time.sleep(0.2)
    return "it goes on"


def gone(pids: list[int]) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if not any(command_line(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_inside_the_walls_the_machines_files_do_not_exist(
    driver: str, site: Site, use: Use, run: Run, tmp_path: Path
) -> None:
    session = opened(use, site, run)
    assert session.walls == driver

    async def look(path: str) -> str:
        page = await session.context.new_page()
        try:
            await page.goto(f"file://{path}")
            return await page.locator("body").inner_text()
        except Exception as error:
            return str(error)
        finally:
            await page.close()

    planted = tmp_path / "planted"
    planted.touch()
    for path in ("/etc/shadow", *ELSEWHERE, "/run/", __file__, str(planted)):
        assert "ERR_FILE_NOT_FOUND" in drive(look(path), timeout_s=20)
    users = drive(look("/etc/passwd"), timeout_s=20)
    assert users.split() == (root.OURS / "passwd").read_text().split()


def test_every_process_of_the_browser_is_held_to_the_list_of_calls(
    driver: str, site: Site, use: Use, run: Run
) -> None:
    opened(use, site, run)
    found = statuses(processes("--type="))
    assert len(found) >= 2
    for status in found:
        assert status["Seccomp"] == FILTERED
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == 0


def test_no_variable_of_ours_reaches_the_browser(driver: str, site: Site, use: Use, run: Run) -> None:
    ours = f"DATABASE_URL={os.environ['DATABASE_URL']}"
    opened(use, site, run)
    assert all(ours in variables(pid) for pid in processes("handing.py"))
    found = [pid for pid in processes("--remote-debugging-pipe") if pid not in processes("handing.py")]
    assert any("HOME=" in variables(pid) for pid in found)
    assert not any(ours in variables(pid) for pid in (*found, *processes("--type=")))


def test_a_page_that_eats_memory_ends_the_browser_and_the_worker_is_told(
    driver: str, site: Site, use: Use, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls, "LIMITS", replace(walls.LIMITS, total_memory_bytes=1_500 * 1024 * 1024))
    opened(use, site, run)
    site.pages = {"/hog": (200, {}, HOG)}
    said = until_it_ends(lambda: use("navigate", url=f"{site.url}/hog"))
    assert "it broke its limit of memory" in said
    assert sessions.find_session(run.pk) is None
    opened(use, site, run)


def test_nothing_is_left_of_a_browser_that_was_closed(driver: str, site: Site, use: Use, run: Run) -> None:
    opened(use, site, run)
    found = processes("--type=") + processes("handing.py")
    sessions.close_session(run.pk)
    assert gone(found)


def test_a_browser_ends_with_what_playwright_has_started(driver: str, site: Site, use: Use, run: Run) -> None:
    opened(use, site, run)
    found = processes("--type=")
    for pid in processes("handing.py"):
        os.kill(pid, signal.SIGKILL)
    assert gone(found)
    with pytest.raises(ToolRetry, match="has ended"):
        use("snapshot")
    opened(use, site, run)


def test_why_a_browser_did_not_start_is_told(
    site: Site, use: Use, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object, **more: object) -> None:
        raise CannotStart("there is no memory for it")

    with monkeypatch.context() as patch:
        patch.setattr(door, "spawn", fails)
        with pytest.raises(ToolRetry, match="did not start: there is no memory for it"):
            use("navigate", url=site.url)
    assert sessions.find_session(run.pk) is None
    opened(use, site, run)


@pytest.fixture
def nothing_contains(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise NotContained("nothing works")

    monkeypatch.setattr(probe, "best", nothing)


@pytest.mark.skipif(os.geteuid() == 0, reason="Chromium's own sandbox does not work for root")
def test_where_nothing_contains_an_ordinary_users_browser_has_chromiums_own_sandbox(
    nothing_contains: None, site: Site, use: Use, run: Run
) -> None:
    session = opened(use, site, run, b"<h1>Hello</h1>")
    assert session.walls == "chromium"
    assert "Hello" in use("snapshot")
    assert not any("--no-sandbox" in command_line(pid) for pid in processes("--type="))
    found = processes("--type=")
    sessions.close_session(run.pk)
    assert gone(found)


def test_without_walls_there_is_no_browser_for_root(
    nothing_contains: None, use: Use, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr(walls.os, "geteuid", lambda: 0)
    with pytest.raises(ToolFailed, match="cannot be contained"):
        use("navigate", url=site.url)
