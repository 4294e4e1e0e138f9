"""A real installation for a real Chromium: web and worker processes on the suite's own database and Valkey."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db.models import Q

from accounts.actor import Actor
from accounts.services.links import create_sign_in_link
from tests.factories import Team, make_team

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
CALM_TIMEOUT_S = 30
BUSY = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction')
"""
PATIENCE_MS = 20_000
"""What should happen happens in a fraction of it; a busy machine takes longer."""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def find_chromium() -> str | None:
    named = os.environ.get("SPACEBOT_CHROMIUM")
    found = (
        [named]
        if named
        else [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    )
    if not any(found):
        found += [
            str(path) for path in Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome")
        ]
    return next((path for path in found if path), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = None
    if not find_chromium():
        missing = "there is no Chromium; install one or set SPACEBOT_CHROMIUM"
    elif not AXE.is_file():
        missing = "the front-end packages are not installed; run npm ci"
    for item in items:
        if ROOT / "tests" / "browser" not in item.path.parents:
            continue
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True))
        if missing and os.environ.get("CI", "").lower() != "true":
            item.add_marker(pytest.mark.skip(reason=missing))


class Program:
    """One of our processes, which can be stopped and started again at the same address."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.command, self.environment, self.log = command, environment, log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_TIMEOUT_S)
        self.process = None


class Web(Program):
    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {**environment, "SPACEBOT_PUBLIC_URL": self.url}
        options = ["--port", str(self.port), "--log-level", "warning", "--timeout-graceful-shutdown", "1"]
        super().__init__(["uvicorn", "spacebot_site.asgi:application", *options], environment, log)

    def start(self) -> None:
        super().start()
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            with suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{self.url}/healthz", timeout=2).close()
                return
            time.sleep(0.1)
        raise RuntimeError(f"the web process did not start: {self.log.read_text()[-2000:]}")


class Worker(Program):
    """A worker by its own name: two of one name would take each other's messages."""

    working: ClassVar[int] = 0
    """How many are there to finish what was begun."""

    def __init__(self, name: str, environment: dict[str, str], log: Path) -> None:
        self.node = f"{name}@spacebot"
        options = ["-P", "threads", "-c", "8", "--loglevel", "warning", "-n", self.node]
        super().__init__(["celery", "-A", "spacebot_site.celery", "worker", *options], environment, log)

    def start(self) -> None:
        """Return when it answers, so that no test's patience is spent on its start."""
        from spacebot_site.celery import app

        super().start()
        Worker.working += 1
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            if app.control.ping(destination=[self.node], timeout=0.5):
                return
        raise RuntimeError(f"the worker did not start: {self.log.read_text()[-2000:]}")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            Worker.working -= 1
        super().stop(number)


@pytest.fixture(scope="session")
def environment(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What our processes get: the test database by name, the suite's Valkey, collected static files."""
    from django.conf import settings

    parts = urlsplit(os.environ["DATABASE_URL"])
    name = settings.DATABASES["default"]["NAME"]
    found = {
        **os.environ,
        "DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}")),
        "SPACEBOT_HOME": str(tmp_path_factory.mktemp("home")),
        "SPACEBOT_MASTER_KEY_FILE": str(Path(settings.SPACEBOT_HOME) / "config" / "master.key"),
        "DJANGO_SETTINGS_MODULE": "spacebot_site.settings",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
    subprocess.run(command, cwd=ROOT, env=found, check=True, timeout=180)
    return found


@pytest.fixture(scope="session")
def web(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    program = Web(environment, tmp_path_factory.mktemp("logs") / "web.log")
    program.start()
    yield program
    program.stop()


@pytest.fixture
def ticking(environment: dict[str, str], tmp_path: Path) -> Iterator[Program]:
    """A worker that keeps the clock too, which can be stopped and started."""
    program = Worker("clock", {**environment, "SPACEBOT_CLOCK": "1"}, tmp_path / "clock.log")
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="session")
def worker(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Worker("worker", environment, tmp_path_factory.mktemp("logs") / "worker.log")
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = find_chromium()
    assert path, "there is no Chromium"
    assert AXE.is_file(), "the front-end packages are not installed"
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    # Playwright's loop runs in this thread, and Django would refuse the database there.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def team(transactional_db: None) -> Team:
    return make_team("acme")


@pytest.fixture(autouse=True)
def _calm_before_the_flush(transactional_db: None) -> Iterator[None]:
    """Let our processes finish what the test began: emptying tables under their hands would deadlock."""
    yield
    from django.db import connection

    from agents.models import Run, RunKind, RunState

    begun = Q(kind=RunKind.CHANNEL) | Q(parent__isnull=False) | ~Q(lease_owner="")
    under_way = Run.objects.filter(begun, state__in=(RunState.QUEUED, RunState.RUNNING))
    until = time.monotonic() + CALM_TIMEOUT_S
    quiet = 0
    while quiet < 3 and time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(BUSY)
            busy = cursor.fetchone()[0] or (Worker.working and under_way.exists())
        quiet = 0 if busy else quiet + 1
        time.sleep(0.1)


OpenAs = Callable[..., Any]


@pytest.fixture
def open_as(chromium: Any, web: Web) -> Iterator[OpenAs]:
    """Return a function that opens a page signed in as an actor; it fails the test on any script error."""
    contexts, faults = [], []

    def open_as(
        actor: Actor, path: str = "/home/", *, width: int = 1280, height: int = 800, scheme: str = "light"
    ) -> Any:
        context = chromium.new_context(
            base_url=web.url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None,
        )
        page.goto(f"/sign-in/{create_sign_in_link(actor.user)}/")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/home/")
        if path != "/home/":
            page.goto(path)
        hears(page)
        return page

    yield open_as
    for context in contexts:
        context.close()
    assert faults == []


def hears(page: Any) -> None:
    """Return when the page hears of everything that happens from now on."""
    page.wait_for_selector("#connection[data-state=connected]", state="attached")


@contextmanager
def new_page(page: Any) -> Iterator[None]:
    """Return when the page to which the block leads is there, with its scripts, and hears of everything.

    For what needs a script or the socket next: to see the new page's text is not to know that they are ready.
    """
    with page.expect_navigation():
        yield
    hears(page)


ENOUGH = "enough"
"""The file in a conversation's workspace that ends `talk_until_enough`."""


def talk_until_enough(word: str, *, place: str = ".") -> str:
    """Return a command that says `word 1`, `word 2` … until the test has seen enough of it; `place` leads to the workspace.

    What is said is not kept for a page that opens late: it goes on for whichever test is slow.
    """
    return (
        f"n=0; until [ -e {place}/{ENOUGH} ] || [ $n -ge 300 ]; do n=$((n+1)); echo {word} $n; sleep 1; done"
    )


def check_talks(live: Any, word: str) -> None:
    """Fail unless the page shows what is said, and two seconds later what is said then."""
    from playwright.sync_api import expect

    expect(live).to_contain_text(re.compile(rf"{word} \d+\n"), timeout=60_000)
    seen = int(re.findall(rf"{word} (\d+)\n", live.text_content())[-1])
    expect(live).to_contain_text(f"{word} {seen + 2}")


def workspace_of(environment: dict[str, str], team: Team, conversation_id: int) -> Path:
    """Return where the files of a conversation lie: our processes have a home of their own."""
    place = (team.organization.pk, team.agent.pk, conversation_id)
    return Path(environment["SPACEBOT_HOME"], "workspaces", *map(str, place))


def check_accessible(page: Any) -> None:
    """Fail for every serious or critical finding of axe on the page as it is now."""
    page.evaluate(AXE.read_text())
    report = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    found = [
        f"{each['id']}: {node['html'][:160]}"
        for each in report["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
    assert found == []
