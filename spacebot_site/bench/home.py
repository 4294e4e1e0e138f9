"""A throwaway installation: a home in a temporary folder, started and stopped by the real launcher."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from spacebot_site.launch.home import ROOT, read_private

START_WITHIN_S = 240
OURS = ("SPACEBOT_", "DATABASE_URL", "REDIS_URL", "CELERY_", "OPENAI_", "ANTHROPIC_", "OLLAMA_")


class BenchHome:
    """Use as a context manager: whatever happens, its processes end and its folder goes."""

    def __init__(self, *, model_url: str, environment: dict[str, str] | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="spacebot-bench-"))
        self.port = free_port()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment = {
            **inherited,
            "SPACEBOT_HOME": str(self.path),
            "SPACEBOT_PORT": str(self.port),
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "bench",
            "SPACEBOT_RATE_SIGNED_IN": "1000000",
            **(environment or {}),
        }

    def __enter__(self) -> BenchHome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.show_logs()
        self.spacebot("stop", check=False)
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def token(self) -> str:
        return read_private(self.path / "config" / "launcher_token")

    def start(self) -> float:
        """Start everything; return how many seconds the command took until all was healthy."""
        began = time.monotonic()
        self.spacebot("start")
        return time.monotonic() - began

    def stop(self) -> None:
        self.spacebot("stop")

    def spacebot(self, *arguments: str, check: bool = True) -> str:
        """Run a command of the launcher in this home; return what it printed."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "spacebot"), *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=START_WITHIN_S, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"spacebot {' '.join(arguments)} failed: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def run_module(self, module: str, *, timeout_s: float = 120) -> str:
        """Run one of our modules with this home's settings; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module],
            cwd=ROOT, env={**self.environment, "DJANGO_SETTINGS_MODULE": "spacebot_site.settings"},
            capture_output=True, text=True, timeout=timeout_s, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
        return done.stdout

    def is_healthy(self) -> bool:
        try:
            return bool(json.loads(self.spacebot("status", "--json", check=False) or "{}").get("healthy"))
        except ValueError:
            return False

    def show_logs(self) -> None:
        """Print the end of every log: the folder will be gone."""
        for log in sorted((self.path / "logs").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-25:]
            print(f"--- {log.name}", *lines, sep="\n", file=sys.stderr)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
