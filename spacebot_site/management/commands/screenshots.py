"""Take the pictures of docs/screenshots from a throwaway installation, so that they show the current version."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from agents.models import Agent
from spacebot_site import demo, demo_autonomy, demo_memory, demo_work, first_start
from spacebot_site.launch import embedded

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
SCHEMES = ("light", "dark")
START_TIMEOUT_S = 60


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fill", action="store_true", help="only fill this installation with the demo")
        parser.add_argument("--only", nargs="+", metavar="PAGE", help="only the pictures of these pages")
        parser.add_argument("--chromium", default=shutil.which("chromium") or "", help="the browser's path")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["fill"]:
            owner = first_start.ensure_installation().owner
            chat, run = demo.fill(owner)
            tasks = demo_work.fill_work(owner, chat)
            demo_memory.fill_memory(owner, chat.agent_id, conversation_id=chat.pk)
            demo_memory.fill_files(owner, chat.agent_id)
            demo_autonomy.fill_autonomy(owner, Agent.objects.get(pk=chat.agent_id))
            self.stdout.write(json.dumps({"chat": chat.pk, "run": run.pk, "task": tasks[0].number}))
            return
        if not options["chromium"]:
            raise CommandError("There is no Chromium: install one, or name it with --chromium.")
        home = Path(tempfile.mkdtemp(prefix="spacebot-pictures-"))
        try:
            found = embedded.start(home)
            environment = {
                **os.environ,
                "SPACEBOT_HOME": str(home),
                "DATABASE_URL": found.database_url,
                "REDIS_URL": found.redis_url,
                "SPACEBOT_OWNER_NAME": "Olga Winter",
                "SPACEBOT_ORGANIZATION": "Northlight",
            }
            self.take(environment, options["chromium"], options["only"])
        finally:
            embedded.stop(home)
            shutil.rmtree(home, ignore_errors=True)

    def take(self, environment: dict[str, str], chromium: str, only: list[str] | None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        url = environment["SPACEBOT_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
        link = self.manage(environment, "bootstrap", "--static")["sign_in_path"]
        rows = self.manage(environment, "screenshots", "--fill")
        command = [sys.executable, "-m", "uvicorn", "spacebot_site.asgi:application", "--port", str(port)]
        web = subprocess.Popen([*command, "--log-level", "error"], cwd=settings.BASE_DIR, env=environment)
        try:
            _wait(f"{url}/healthz")
            for path in _pictures(chromium, url, link, rows, only):
                self.stdout.write(str(path.relative_to(settings.BASE_DIR)))
        finally:
            web.terminate()
            web.wait(20)

    def manage(self, environment: dict[str, str], *arguments: str) -> dict[str, Any]:
        """Run a command inside the throwaway installation and return what its last line says."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command,
            cwd=settings.BASE_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise CommandError(f"{arguments[0]} failed: {done.stderr.strip()[-1000:]}")
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found


def _wait(url: str) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  our own address
            return
        time.sleep(0.1)
    raise CommandError("The web process did not start.")


def _pictures(chromium: str, url: str, link: str, rows: dict[str, int], only: list[str] | None) -> list[Path]:
    from playwright.sync_api import sync_playwright

    folder = settings.BASE_DIR / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "home": "/home/",
        "chat": f"/chat/{rows['chat']}/",
        "run": f"/runs/{rows['run']}/",
        "board": "/board/",
        "task": f"/tasks/{rows['task']}/",
        "approvals": "/approvals/",
        "schedule": "/schedule/",
        "autonomy": "/agents/spacebot/autonomy/",
        "models": "/settings/models/",
        "memory": "/memory/",
        "memory-graph": "/memory/graph/?size=500",
        "memory-inbox": "/memory/inbox/",
        "memory-files": "/memory/files/",
    }
    pages = {name: path for name, path in pages.items() if not only or name in only}
    taken, state = [], None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                context = browser.new_context(
                    base_url=url,
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,  # type: ignore[arg-type]
                    storage_state=state,
                )
                page = context.new_page()
                if state is None:
                    page.goto(link)
                    page.get_by_role("button", name="Sign in").click()
                    page.wait_for_url("**/home/")
                    state = context.storage_state()
                for name, path in pages.items():
                    page.goto(path)
                    page.wait_for_selector("#connection[data-state=connected]", state="attached")
                    if name == "memory-graph":
                        page.wait_for_selector("#graph[data-ready]", state="attached")
                    page.wait_for_timeout(300)
                    taken.append(folder / f"{name}-{size}-{scheme}.png")
                    page.screenshot(path=taken[-1])
                context.close()
        browser.close()
    return taken
