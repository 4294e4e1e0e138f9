"""One conversation with opencode: what it says, what it asks, and how its calls end, read off the events of its server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.coding.errors import BackendFailed, Breach, ProgramEnded
from agents.coding.heard import LOOK_S, HeardSession
from agents.coding.opencode.calls import UNGATED, Refusal, read_permission, read_question
from agents.coding.opencode.server import BROUGHT_ALONG, GRACE_S, TRY_S, Server, start_server
from agents.coding.place import Place
from agents.coding.types import Asked, CallEnd, OnText
from llm.types import CancelToken

LONGEST_OUTPUT = 200_000


class OpencodeSession(HeardSession):
    """See `agents.coding.types.Session`."""

    def __init__(
        self, server: Server, place: Place, session_id: str, instructions: str, on_text: OnText
    ) -> None:
        super().__init__(place, server.events)
        self.server = server
        self.id = session_id
        self.instructions, self.on_text = instructions, on_text
        self._call_ids: dict[str, str] = {}
        self._parts: dict[str, dict[str, Any]] = {}
        self._allowed: set[str] = set()
        self._replied: set[str] = set()
        self._ours: set[str] = set()
        self._output: Callable[[bytes], None] | None = None
        self._shown: dict[str, int] = {}

    @property
    def version(self) -> str:
        return f"opencode {self.server.version}"

    def has_heard(self, text: str) -> bool:
        for message in reversed(self.server.ask("GET", f"/session/{self.id}/message") or []):
            if message["info"]["role"] == "user":
                said = "".join(part.get("text", "") for part in message["parts"] if part["type"] == "text")
                return bool(said.strip() == text.strip())
        return False

    def say(self, text: str) -> None:
        self.begin_turn()
        body = {"parts": [{"type": "text", "text": text}], "system": self.instructions}
        if self.server.ask("POST", f"/session/{self.id}/prompt_async", body) is None:
            raise BackendFailed("The coding agent does not know its session any more.")

    def allow(self, asked: Asked) -> None:
        self.asked.pop(asked.id, None)
        self._reply(asked.id, "once", "")

    def refuse(self, asked: Asked, reason: str) -> None:
        self.asked.pop(asked.id, None)
        request, is_question, _ = asked.id.partition("#")
        if is_question:
            for other in [each for each in self.asked if each.startswith(f"{request}#")]:
                del self.asked[other]
            self._replied.add(request)
            self.server.ask("POST", f"/question/{request}/reject")
        else:
            self._reply(request, "reject", reason)

    def end_of(self, asked: Asked, cancel: CancelToken, on_output: Callable[[bytes], None]) -> CallEnd:
        call = self._call_ids[asked.id]
        self._output = on_output
        try:
            while (state := self._parts.get(call, {}).get("state", {})).get("status") not in (
                "completed",
                "error",
            ):
                self.take(LOOK_S, cancel)
                if self.is_idle:
                    return CallEnd("It was broken off before its end.", has_failed=True)
        finally:
            self._output = None
        if state["status"] == "error":
            return CallEnd(str(state.get("error") or "It failed."), has_failed=True)
        return CallEnd(str(state.get("output") or "")[:LONGEST_OUTPUT] or "(it said nothing)")

    def close(self) -> str:
        breach = self.last_breach() if self._is_asked_no_more() else ""
        # In its grace a command could answer what people are asked, and nobody would hear of it.
        self.server.close(grace_s=0 if self.asked else GRACE_S)
        return breach or self.last_breach()

    def _is_asked_no_more(self) -> bool:
        """Look once more whether what people are asked still waits there for their answer."""
        asked = {each for each in self.asked if "#" not in each}
        if not asked:
            return False
        try:
            waiting = self.server.ask("GET", "/permission", timeout_s=TRY_S)
        except BackendFailed:
            return False
        return not asked <= {each["id"] for each in waiting or []}

    def _reply(self, request: str, reply: str, message: str) -> None:
        self._replied.add(request)
        if reply == "once":
            self._allowed.add(self._call_ids.get(request, ""))
        body = {"reply": reply, **({"message": message[:2_000]} if message else {})}
        self.server.ask("POST", f"/permission/{request}/reply", body)

    def lost(self, why: str) -> ProgramEnded:
        return self.server.lost(why)

    def hear(self, event: dict[str, Any]) -> None:
        if event["type"] != "server.heartbeat":
            self.heard_at = time.monotonic()
            self._hear(event["type"], event.get("properties") or {})

    def _hear(self, kind: str, about: dict[str, Any]) -> None:
        own = about.get("sessionID") == self.id
        match kind:
            case "message.updated" if own and about["info"]["role"] == "assistant":
                self._ours.add(about["info"]["id"])
            case "message.part.updated" if about["part"]["type"] == "tool":
                self._hear_call(about["part"])
            case "message.part.updated" if own and about["part"]["type"] == "text":
                if about["part"]["messageID"] in self._ours and about["part"].get("time", {}).get("end"):
                    self.texts[about["part"]["id"]] = about["part"]["text"].strip()
            case "message.part.delta" if own and about.get("field") == "text":
                self.on_text(str(about.get("delta") or ""))
            case "permission.asked":
                self._hear_permission(about)
            case "question.asked":
                self.asked.update({each.id: each for each in read_question(about)})
            case "permission.replied" | "question.replied" | "question.rejected":
                if about["requestID"] not in self._replied:
                    raise Breach(
                        "The coding agent answered by itself what others were asked. It was stopped."
                    )
            case "session.idle" if own:
                self.is_idle = True
            case "session.error" if own or not about.get("sessionID"):
                self.failure = _words_of(about.get("error") or {})

    def _hear_permission(self, request: dict[str, Any]) -> None:
        call = (request.get("tool") or {}).get("callID", "")
        self._call_ids[request["id"]] = call
        found = read_permission(
            request,
            self._parts.get(call, {}),
            workspace=self.place.workspace.resolve(),
            is_contained=self.place.is_contained,
        )
        if found is None:
            # What is asked for beside a call, such as the folder it is in, does not let the call itself through.
            self._replied.add(request["id"])
            self.server.ask("POST", f"/permission/{request['id']}/reply", {"reply": "once"})
        elif isinstance(found, Refusal):
            self._reply(request["id"], "reject", found.reason)
        else:
            self.asked[found.id] = found

    def _hear_call(self, part: dict[str, Any]) -> None:
        call, state = part["callID"], part["state"]
        self._parts[call] = part
        if state["status"] == "completed" and call not in self._allowed and not _may_go_unasked(part):
            raise Breach(f"The coding agent used {part['tool']} without asking. It was stopped.")
        output = str((state.get("metadata") or {}).get("output") or "")
        shown = self._shown.get(call, 0)
        if self._output is not None and len(output) > shown:
            self._shown[call] = len(output)
            self._output(output[shown:].encode())


def _may_go_unasked(part: dict[str, Any]) -> bool:
    """Say whether a call may end unasked: its own upkeep, and a change of folder, which does nothing by itself."""
    if part["tool"] in UNGATED:
        return True
    words = str(part["state"].get("input", {}).get("command") or "").split()
    return (
        part["tool"] == "bash"
        and len(words) == 2
        and words[0] == "cd"
        and words[1].replace("/", "").isalnum()
    )


def _words_of(error: dict[str, Any]) -> str:
    data = error.get("data") or {}
    if error.get("name") == "MessageAbortedError":
        return ""
    return (
        f"The coding agent failed: {str(data.get('message') or error.get('name') or 'no reason given')[:500]}"
    )


def open_session(
    place: Place, program: Path, *, session_id: str, instructions: str, on_text: OnText
) -> OpencodeSession:
    """Start the server and take up the session of that id, or begin one."""
    server = start_server(place, program)
    try:
        known = session_id and server.ask("GET", f"/session/{session_id}")
        found = known or server.ask("POST", "/session", {"title": place.run.title[:80] or "A task"})
        place.check_unread(BROUGHT_ALONG)
        return OpencodeSession(server, place, found["id"], instructions, on_text)
    except BaseException:
        server.close()
        raise
