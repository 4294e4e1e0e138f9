"""How Claude Code's lines are read, by lines that version 2.1.197 wrote; the program itself runs where it is installed."""

from __future__ import annotations

import queue
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.coding.claude.program import Program
from agents.coding.claude.session import ClaudeSession
from agents.coding.errors import BackendFailed, Breach, ProgramEnded
from agents.coding.heard import END
from agents.coding.place import Place
from agents.coding.types import CallEnd
from llm.errors import Cancelled
from llm.types import CancelToken

RESULT = {"type": "result", "subtype": "success", "is_error": False, "result": "All done."}


class Recorded:
    """A program that has said its lines already, and keeps what it is told."""

    def __init__(self) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.told: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.told.append(message)

    def close(self) -> None:
        self.events.put(END)

    def lost(self, why: str) -> ProgramEnded:
        return ProgramEnded(why)


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def session(recorded: Recorded, tmp_path: Path) -> ClaudeSession:
    place = SimpleNamespace(workspace=tmp_path, home=tmp_path, endpoint=SimpleNamespace(is_working=False))
    return ClaudeSession(cast("Program", recorded), cast("Place", place), "an-id", lambda text: None)


def says(text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"type": "assistant", "message": {"id": "msg_1", "content": content}, "parent_tool_use_id": None}


def asks(tool: str, /, **given: Any) -> dict[str, Any]:
    request = {"subtype": "can_use_tool", "tool_name": tool, "input": given, "tool_use_id": "call_1"}
    return {"type": "control_request", "request_id": "r1", "request": request}


def gave(text: Any, *, is_error: bool = False) -> dict[str, Any]:
    block = {"type": "tool_result", "tool_use_id": "call_1", "content": text, "is_error": is_error}
    return {"type": "user", "message": {"role": "user", "content": [block]}}


def hear(recorded: Recorded, *events: Any) -> None:
    for event in events:
        recorded.events.put(event)


def test_a_call_is_asked_let_through_and_its_end_is_read(session: ClaudeSession, recorded: Recorded) -> None:
    session.say("Do it")
    hear(recorded, says("I look."), asks("Bash", command="ls", description="list"))
    pause = session.listen(CancelToken())
    [asked] = pause.asked
    assert (pause.text, asked.tool, asked.arguments) == ("I look.", "shell", {"command": "ls", "folder": ""})
    session.allow(asked)
    assert recorded.told[-1]["response"]["response"] == {
        "behavior": "allow",
        "updatedInput": {"command": "ls", "description": "list"},
    }
    hear(recorded, gave([{"type": "text", "text": "a.txt"}]))
    assert session.end_of(asked, CancelToken(), lambda output: None) == CallEnd("a.txt")
    hear(recorded, says("Done."), RESULT)
    assert session.listen(CancelToken()).text == "Done."


def test_an_edit_is_shown_as_what_it_changes(
    session: ClaudeSession, recorded: Recorded, tmp_path: Path
) -> None:
    path = str(tmp_path.resolve() / "a.txt")
    hear(recorded, asks("Edit", file_path=path, old_string="one\ntwo", new_string="one\nthree"))
    session.say("Do it")
    [asked] = session.listen(CancelToken()).asked
    assert asked.tool == "write_file"
    assert asked.arguments["path"] == "a.txt"
    assert asked.arguments["change"].splitlines()[-2:] == ["-two", "+three"]


def test_what_there_is_no_policy_for_is_refused(session: ClaudeSession, recorded: Recorded) -> None:
    session.say("Do it")
    hear(recorded, asks("Teleport", to="elsewhere"), RESULT)
    assert session.listen(CancelToken()).asked == ()
    assert recorded.told[-1]["response"]["response"]["behavior"] == "deny"


def test_a_call_that_ends_unasked_is_a_breach(session: ClaudeSession, recorded: Recorded) -> None:
    session.say("Do it")
    hear(recorded, gave("Exit code 1", is_error=True))
    with pytest.raises(Breach):
        session.listen(CancelToken())


def test_a_breach_in_its_last_moment_is_told_when_it_is_closed(
    session: ClaudeSession, recorded: Recorded
) -> None:
    session.say("Do it")
    hear(recorded, asks("Bash", command="ls"))
    assert session.listen(CancelToken()).asked
    hear(recorded, says("I do it all the same."), gave("it ran"), END)
    assert session.close() == "The coding agent made a call without asking. It was stopped."


def test_a_call_that_it_refuses_itself_is_none(session: ClaudeSession, recorded: Recorded) -> None:
    session.say("Do it")
    refused = "<tool_use_error>Error: No such tool available</tool_use_error>"
    hear(recorded, gave(refused, is_error=True), says("Well."), RESULT)
    assert session.listen(CancelToken()).text == "Well."


def test_its_end_its_failure_and_a_stop_are_told_apart(session: ClaudeSession, recorded: Recorded) -> None:
    session.say("Do it")
    hear(recorded, {**RESULT, "is_error": True, "result": "API Error: 500"})
    with pytest.raises(BackendFailed, match="API Error: 500"):
        session.listen(CancelToken())
    session.say("Again")
    hear(recorded, END)
    with pytest.raises(ProgramEnded):
        session.listen(CancelToken())
    token = CancelToken()
    token.cancel("enough")
    with pytest.raises(Cancelled):
        session.listen(token)
