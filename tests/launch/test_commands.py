"""`chat` and `test` against stand-ins for the far side."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from spacebot_site.launch.chat import chat
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.gates import Gate, run_gates
from spacebot_site.launch.home import write_private
from spacebot_site.launch.os_processes import identify
from spacebot_site.launch.state import State, write_state


class FakeApi(BaseHTTPRequestHandler):
    """Answers as the API does, and keeps what was asked."""

    asked: ClassVar[list[tuple[str, str, Any]]] = []
    answer: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        self._keep(None)
        items = [{"id": 7, "slug": "spacebot"}] if "agents" in self.path else []
        self._send({"items": items, "next": None})

    def do_POST(self) -> None:
        self._keep(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._send(self.answer if "messages" in self.path else {"id": 3, "title": "Terminal", "agent_id": 7})

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _keep(self, body: Any) -> None:
        assert self.headers["Authorization"] == "Bearer the-token"
        self.asked.append((self.command, self.path, body))

    def _send(self, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[type[FakeApi]]:
    FakeApi.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeApi)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    me = identify(os.getpid())
    assert me
    port = server.server_address[1]
    write_state(tmp_path, State(me.pid, me.started, port, f"http://127.0.0.1:{port}"))
    write_private(tmp_path / "config" / "launcher_token", "the-token")
    yield FakeApi
    server.shutdown()
    server.server_close()
    thread.join()


def test_chat_prints_each_reply(
    api: type[FakeApi], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answer = {
        "message": {},
        "replies": [{"text": "One."}, {"text": "Two."}],
        "settled": True,
        "reason": "",
    }
    assert chat(tmp_path, ["hello"]) == 0
    assert capsys.readouterr().out == "One.\n\nTwo.\n"
    assert api.asked[-2] == (
        "POST",
        "/api/v1/conversations",
        {"agent_id": 7, "kind": "dm", "title": "Terminal"},
    )
    assert api.asked[-1][1:] == ("/api/v1/conversations/3/messages?wait_s=120", {"text": "hello"})


def test_chat_without_a_reply_fails_with_the_reason(
    api: type[FakeApi], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answer = {"message": {}, "replies": [], "settled": False, "reason": "the agent is busy"}
    assert chat(tmp_path, ["hello"]) == 1
    assert "no reply: the agent is busy" in capsys.readouterr().err


def test_chat_with_an_unknown_agent_names_the_known_ones(api: type[FakeApi], tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="known agents: spacebot"):
        chat(tmp_path, ["hello", "--agent", "nobody"])


def test_chat_when_nothing_runs_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="not running"):
        chat(tmp_path, ["hello"])


def test_all_gates_run_when_one_fails_and_the_status_tells(capfd: pytest.CaptureFixture[str]) -> None:
    gates = (Gate("first", ("python", "-c", "raise SystemExit('ink')")), Gate("second", ("python", "-c", "")))
    assert run_gates([], gates=gates, pytest_command=("python", "-c", "print('1 passed')")) == 1
    output = capfd.readouterr().out
    assert "ink" in output
    assert "first       FAILED" in output
    assert "second      passed" in output
    assert output.index("second") < output.index("1 passed")


def test_every_test_is_in_one_part_and_what_fails_in_the_first_is_told_after_the_last(
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = "import sys; print(sys.argv[1:]); raise SystemExit('--ignore=tests/launch' in sys.argv)"
    assert run_gates([], gates=(), pytest_command=("python", "-c", program)) == 1
    shared, watched = capfd.readouterr().out.splitlines()
    for folder in ("tests/launch", "tests/browser"):
        assert f"--ignore={folder}'" in shared
        assert f"'{folder}'" in watched


def test_arguments_are_for_pytest_alone(capfd: pytest.CaptureFixture[str]) -> None:
    command = ("python", "-c", "import sys; print(sys.argv[1:]); raise SystemExit(5)")
    assert run_gates(["-k", "x"], gates=(Gate("never", ("python", "-c", "")),), pytest_command=command) == 5
    assert capfd.readouterr().out == "['-k', 'x']\n"
