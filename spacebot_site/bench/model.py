"""The bench's side of the model server: start it, set it, ask what it saw."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from types import TracebackType
from typing import Any

from spacebot_site.bench.home import free_port
from spacebot_site.launch.home import ROOT


class ModelServer:
    """The model server as a process of its own. Use as a context manager."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ModelServer:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "spacebot_site.bench.model_server", str(self.port)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._popen.stdout is not None
        if self._popen.stdout.readline().strip() != "ready":
            raise RuntimeError("the model server does not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._popen.kill()
        self._popen.wait()
        assert self._popen.stdout is not None
        self._popen.stdout.close()

    def set_latency(self, milliseconds: int) -> None:
        self._ask("POST", "/bench/latency", str(milliseconds))

    def take(self) -> dict[str, Any]:
        """Return `calls` and, by mark, the `times` of each request since the last time."""
        return self._ask("GET", "/bench/taken")

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()
