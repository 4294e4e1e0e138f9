"""Starting `opencode serve` in its place, and making sure that who answers is the one we started."""

from __future__ import annotations

import json
import os
import queue
import re
import secrets
import shutil
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from agents.coding.errors import BackendFailed, ProgramEnded
from agents.coding.heard import END, ended
from agents.coding.place import Place
from agents.sandbox.child import Child
from agents.sandbox.streams import Kept

PORT = 4096
USER = "opencode"
START_S = 60.0
TRY_S = 2.0
CALL_S = 30.0
GRACE_S = 0.3
SILENT_S = 45.0
"""It sends a heartbeat every ten seconds."""
LISTENS = re.compile(rb"listening on http://127\.0\.0\.1:(\d+)")
MOST_OUTPUT = 16_000
PROVIDER, MODEL = "spacebot", "worker"


@dataclass
class Server:
    """A running server: its HTTP client, and its events in order, as JSON objects."""

    child: Child
    client: httpx.Client
    version: str
    events: queue.Queue[Any] = field(default_factory=queue.Queue)
    said: Kept = field(default_factory=lambda: Kept(4_000))
    _descriptor: int = -1

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout_s: float = CALL_S
    ) -> Any:
        """Call the server and return its JSON. Raises ProgramEnded where it is gone, BackendFailed where it refuses."""
        try:
            answer = self.client.request(method, path, json=body, timeout=timeout_s)
        except httpx.HTTPError as error:
            raise self.lost(f"{type(error).__name__}") from None
        if answer.status_code == 404:
            return None
        if not answer.is_success:
            raise BackendFailed(f"The coding agent refused {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json() if answer.content else {}

    def lost(self, why: str) -> ProgramEnded:
        return ended(self.child, self.said, why)

    def follow(self) -> None:
        threading.Thread(target=self._follow, name="opencode-events", daemon=True).start()

    def _follow(self) -> None:
        try:
            with self.client.stream("GET", "/event", timeout=httpx.Timeout(CALL_S, read=SILENT_S)) as stream:
                for line in stream.iter_lines():
                    if line.startswith("data:"):
                        with suppress(ValueError):
                            self.events.put(json.loads(line[5:]))
        except httpx.HTTPError:
            pass  # Whoever waits for events hears of their end.
        finally:
            self.events.put(END)

    def close(self, *, grace_s: float = GRACE_S) -> None:
        self.child.stop(grace_s=grace_s)
        self.client.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def start_server(place: Place, program: Path) -> Server:
    """Start it and return it once it answers. Raises BackendFailed."""
    password = secrets.token_urlsafe(24)
    # What a command of the last program left there would be read by this one before anything is asked.
    shutil.rmtree(place.home / ".config", ignore_errors=True)
    port = PORT if place.is_contained else 0
    child = place.spawn(
        (str(program), "serve", "--hostname", "127.0.0.1", "--port", str(port), "--pure"),
        program=program,
        environment=ENVIRONMENT,
        secrets={"OPENCODE_SERVER_PASSWORD": password, "OPENCODE_CONFIG_CONTENT": json.dumps(_config(place))},
        ports=(PORT,),
        unread=BROUGHT_ALONG,
        merge_stderr=True,
    )
    server = Server(child, httpx.Client(), "")
    try:
        found = _port_of(server)
        transport, server._descriptor = _transport(place)
        server.client = httpx.Client(
            transport=transport, base_url=f"http://127.0.0.1:{found}", auth=(USER, password), timeout=CALL_S
        )
        server.version = _check_ours(server)
        server.follow()
        if server.events.get(timeout=START_S) is END:
            raise server.lost("its events ended")
    except queue.Empty:
        server.close()
        raise BackendFailed("The coding agent tells nothing of what it does.") from None
    except BaseException:
        server.close()
        raise
    return server


ENVIRONMENT = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "OPENCODE_DISABLE_CLAUDE_CODE": "1",
    "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
}
BROUGHT_ALONG = (".opencode", "opencode.json", "opencode.jsonc")
"""What a repository brings along must neither change its permissions nor start programs of its own. Version 1.18 loads plugins
from its folder even where it is told not to, so the folder is shown empty."""


def _config(place: Place) -> dict[str, Any]:
    model = f"{PROVIDER}/{MODEL}"
    limit = {"context": place.window, "output": min(MOST_OUTPUT, place.window // 4)}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Spacebot",
        "options": {"baseURL": f"{place.models_url}/v1", "apiKey": place.endpoint.token, "timeout": False},
        "models": {MODEL: {"name": MODEL, "tool_call": True, "limit": limit}},
    }
    return {
        "model": model,
        "small_model": model,
        "permission": {"*": "ask"},
        "enabled_providers": [PROVIDER],
        "provider": {PROVIDER: provider},
        "autoupdate": False,
        "share": "disabled",
        "snapshot": False,
        "lsp": False,
        "formatter": False,
    }


def _port_of(server: Server) -> int:
    """Read what it says until it listens; from then on it is read in the background, so that it is never held up."""
    found: queue.Queue[int] = queue.Queue()

    def read() -> None:
        assert server.child.stdout is not None
        said = b""
        with suppress(OSError, ValueError):
            while piece := os.read(server.child.stdout.fileno(), 65_536):
                server.said.add(piece)
                if said is not None and (match := LISTENS.search(said := (said + piece)[-1_000:])):
                    found.put(int(match[1]))
        found.put(0)

    threading.Thread(target=read, name="opencode-output", daemon=True).start()
    try:
        port = found.get(timeout=START_S)
    except queue.Empty:
        raise BackendFailed(f"The coding agent did not listen within {START_S:.0f} s.") from None
    if not port:
        raise server.lost("while it started")
    return port


def _transport(place: Place) -> tuple[httpx.HTTPTransport, int]:
    """Return the way to it. A socket is held fast: what its folder says later does not matter."""
    path = place.socket_of(PORT)
    if path is None:
        return httpx.HTTPTransport(), -1
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise BackendFailed(f"The coding agent cannot be reached: {error.strerror}.") from None
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BackendFailed("The coding agent cannot be reached: what stands there is no socket.")
    return httpx.HTTPTransport(uds=f"/proc/self/fd/{descriptor}"), descriptor


def _check_ours(server: Server) -> str:
    """Return its version, once it has shown that it knows the password of this start and asks for it."""
    until = time.monotonic() + START_S
    while True:
        try:
            health = server.client.get("/global/health", timeout=TRY_S)
            stranger = server.client.get("/global/health", timeout=TRY_S, auth=None)
            break
        except httpx.HTTPError as error:
            if server.child.poll() or time.monotonic() >= until:
                raise server.lost(type(error).__name__) from None
            time.sleep(0.05)
    if health.status_code != 200 or stranger.status_code != 401:
        raise BackendFailed("Who answers for the coding agent is not the one that was started.")
    return str(health.json().get("version", ""))
