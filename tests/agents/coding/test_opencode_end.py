"""How a session with opencode ends while people are asked; the program itself is in the other modules."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.coding.errors import ProgramEnded
from agents.coding.heard import END
from agents.coding.opencode.server import GRACE_S, Server
from agents.coding.opencode.session import OpencodeSession
from agents.coding.place import Place
from agents.coding.types import Asked
from llm.types import CancelToken

LATE_S = 0.3
ASKED = {"id": "per_1", "sessionID": "s", "permission": "bash", "patterns": ["ls"], "metadata": {"command": "ls"}}  # fmt: skip
REPLIED = {"sessionID": "s", "requestID": "per_1", "reply": "once"}


class Told:
    """A server that has said its events, knows which permissions wait, and says nothing more once it is closed."""

    def __init__(self, *waiting: str) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.waiting: tuple[str, ...] | None = waiting
        self.graces: list[float] = []

    def ask(self, method: str, path: str, body: Any = None, *, timeout_s: float = 0) -> Any:
        assert (method, path) == ("GET", "/permission")
        if self.waiting is None:
            raise ProgramEnded("it is gone")
        return [{"id": each} for each in self.waiting]

    def say(self, kind: str, about: dict[str, Any]) -> None:
        self.events.put({"type": kind, "properties": about})

    def close(self, *, grace_s: float = GRACE_S) -> None:
        self.graces.append(grace_s)
        self.events.put(END)


def session_with(server: Told, tmp_path: Path) -> OpencodeSession:
    place = SimpleNamespace(workspace=tmp_path, is_contained=True, endpoint=SimpleNamespace(is_working=False))
    return OpencodeSession(cast("Server", server), cast("Place", place), "s", "", lambda text: None)


def asked_in(session: OpencodeSession, server: Told) -> Asked:
    server.say("permission.asked", ASKED)
    [asked] = session.listen(CancelToken()).asked
    return asked


def test_what_still_waits_for_people_is_ended_without_grace(tmp_path: Path) -> None:
    server = Told("per_1")
    session = session_with(server, tmp_path)
    assert asked_in(session, server).tool == "shell"
    assert session.close() == ""
    assert server.graces == [0]


def test_what_waits_for_nobody_may_end_in_peace(tmp_path: Path) -> None:
    server = Told()
    assert session_with(server, tmp_path).close() == ""
    assert server.graces == [GRACE_S]


def test_an_answer_that_is_heard_of_late_is_waited_for(tmp_path: Path) -> None:
    server = Told()
    session = session_with(server, tmp_path)
    asked_in(session, server)
    threading.Timer(LATE_S, server.say, ["permission.replied", REPLIED]).start()
    assert session.close().startswith("The coding agent answered by itself")


@pytest.mark.parametrize("waiting", [("per_1", "per_2"), None], ids=["others wait too", "it is gone"])
def test_nothing_is_found_where_nothing_was_answered(waiting: Any, tmp_path: Path) -> None:
    server = Told()
    server.waiting = waiting
    session = session_with(server, tmp_path)
    asked_in(session, server)
    assert session.close() == ""
