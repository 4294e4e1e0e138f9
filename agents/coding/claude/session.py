"""One conversation with Claude Code: what it says, what it asks, and how its calls end, read off its lines."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agents.coding.claude.calls import UNKNOWN, read_request
from agents.coding.claude.program import BROUGHT_ALONG, Program, start_program
from agents.coding.errors import Breach, ProgramEnded
from agents.coding.heard import LOOK_S, HeardSession
from agents.coding.place import Place
from agents.coding.types import Asked, CallEnd, OnText
from llm.types import CancelToken

LONGEST_OUTPUT = 200_000
UNMADE = "<tool_use_error>"
"""So begins what it says of a call that it did not make."""


class ClaudeSession(HeardSession):
    """See `agents.coding.types.Session`."""

    def __init__(self, program: Program, place: Place, session_id: str, on_text: OnText) -> None:
        super().__init__(place, program.events)
        self.program, self.id, self.on_text = program, session_id, on_text
        self._version = ""
        self._inputs: dict[str, dict[str, Any]] = {}
        self._call_ids: dict[str, str] = {}
        self._allowed: set[str] = set()
        self._refused: set[str] = set()
        self._ends: dict[str, CallEnd] = {}

    @property
    def version(self) -> str:
        return f"Claude Code {self._version}".strip()

    def has_heard(self, text: str) -> bool:
        said = [message for message in _kept_messages(self.place.home, self.id) if message.strip()]
        return bool(said) and said[-1].strip() == text.strip()

    def say(self, text: str) -> None:
        self.begin_turn()
        message = {"role": "user", "content": text}
        self.program.send(
            {"type": "user", "session_id": self.id, "message": message, "parent_tool_use_id": None}
        )

    def allow(self, asked: Asked) -> None:
        self.asked.pop(asked.id, None)
        self._allowed.add(self._call_ids[asked.id])
        self._reply(asked.id, {"behavior": "allow", "updatedInput": self._inputs[asked.id]})

    def refuse(self, asked: Asked, reason: str) -> None:
        self.asked.pop(asked.id, None)
        self._reply(asked.id, {"behavior": "deny", "message": reason[:2_000] or UNKNOWN})

    def end_of(self, asked: Asked, cancel: CancelToken, on_output: Callable[[bytes], None]) -> CallEnd:
        call = self._call_ids[asked.id]
        while call not in self._ends:
            self.take(LOOK_S, cancel)
            if self.is_idle and call not in self._ends:
                return CallEnd("It was broken off before its end.", has_failed=True)
        end = self._ends.pop(call)
        on_output(end.text.encode())
        return end

    def close(self) -> str:
        self.program.close()
        return self.last_breach()

    def lost(self, why: str) -> ProgramEnded:
        return self.program.lost(why)

    def hear(self, event: dict[str, Any]) -> None:
        self.heard_at = time.monotonic()
        match event.get("type"):
            case "system" if event.get("subtype") == "init":
                self._version = str(event.get("claude_code_version") or "")
            case "assistant" if not event.get("parent_tool_use_id"):
                self._hear_words(event["message"])
            case "user":
                self._hear_results(event["message"])
            case "control_request":
                self._hear_request(event["request_id"], event["request"])
            case "control_cancel_request":
                self.asked.pop(event.get("request_id", ""), None)
            case "result":
                self.is_idle = True
                if event.get("is_error"):
                    words = str(event.get("result") or event.get("subtype") or "no reason given")
                    self.failure = f"The coding agent failed: {words[:500]}"

    def _hear_words(self, message: dict[str, Any]) -> None:
        for block in message.get("content") or ():
            if block.get("type") == "text" and (text := str(block.get("text") or "").strip()):
                self.texts[f"{message.get('id')}.{len(self.texts)}"] = text
                self.on_text(text + "\n")

    def _hear_results(self, message: dict[str, Any]) -> None:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if block.get("type") != "tool_result":
                continue
            call, failed = block["tool_use_id"], bool(block.get("is_error"))
            text = _text_of(block.get("content"))[:LONGEST_OUTPUT]
            unmade = failed and (call in self._refused or text.startswith(UNMADE))
            if call not in self._allowed and not unmade:
                raise Breach("The coding agent made a call without asking. It was stopped.")
            self._ends[call] = CallEnd(text or "(it said nothing)", has_failed=failed)

    def _hear_request(self, request_id: str, request: dict[str, Any]) -> None:
        if request.get("subtype") != "can_use_tool":
            answer = {"subtype": "error", "request_id": request_id, "error": UNKNOWN}
            self.program.send({"type": "control_response", "response": answer})
            return
        self._call_ids[request_id] = str(request.get("tool_use_id") or "")
        self._inputs[request_id] = request.get("input") or {}
        asked = read_request(request_id, request, workspace=self.place.workspace.resolve())
        if asked is None:
            self._reply(request_id, {"behavior": "deny", "message": UNKNOWN})
        else:
            self.asked[request_id] = asked

    def _reply(self, request_id: str, decision: dict[str, Any]) -> None:
        if decision["behavior"] == "deny":
            self._refused.add(self._call_ids[request_id])
        answer = {"subtype": "success", "request_id": request_id, "response": decision}
        self.program.send({"type": "control_response", "response": answer})


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content or ())


def _transcript(home: Path, session_id: str) -> Path | None:
    return next((home / ".claude" / "projects").glob(f"*/{session_id}.jsonl"), None) if session_id else None


def _kept_messages(home: Path, session_id: str) -> Iterator[str]:
    """Yield what was said to a session by people, as it was kept."""
    path = _transcript(home, session_id)
    if path is None or path.is_symlink():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            content = (entry.get("message") or {}).get("content") if entry.get("type") == "user" else None
            if isinstance(content, str):
                yield content
            elif content and content[0].get("type") == "text":
                yield _text_of(content)


def open_session(
    place: Place, program: Path, *, session_id: str, instructions: str, on_text: OnText
) -> ClaudeSession:
    """Start the program, in the session of that id where it is still there, else in a new one."""
    known = _transcript(place.home, session_id) is not None
    name = session_id if known else str(uuid.uuid4())
    option = ("--resume", name) if known else ("--session-id", name)
    started = start_program(place, program, session=option, instructions=instructions)
    try:
        place.check_unread(BROUGHT_ALONG)
    except BaseException:
        started.close()
        raise
    return ClaudeSession(started, place, name, on_text)
