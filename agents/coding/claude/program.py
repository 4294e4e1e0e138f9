"""Starting `claude` in its place, and speaking with it: a line of JSON for each message, in both directions."""

from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.coding.claude.calls import TOOLS
from agents.coding.errors import BackendFailed, ProgramEnded
from agents.coding.heard import END, ended
from agents.coding.place import Place
from agents.sandbox.child import Child
from agents.sandbox.streams import Kept

START_S = 60.0
SEND_S = 30
MOST_LINE_BYTES = 32_000_000
MODEL = "claude-sonnet-4-5"
"""A name that it knows; which model answers is for the routes to say."""
ENVIRONMENT = {
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
    "CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
"""Without attachments, so that no file is read for being named; without git, whose settings of a repository start programs."""
BROUGHT_ALONG = (".claude", ".mcp.json")
"""What a repository brings along must neither change its permissions nor start programs of its own."""
SETTINGS = {"permissions": {"ask": list(TOOLS)}, "disableAllHooks": True}
LEFT_BEHIND = ("settings.json", "settings.local.json", "plugins", "agents", "commands", "skills")
"""What a command of an earlier program could have left in its home for the next one to read."""


@dataclass
class Program:
    """A running program, and what it says, in order, as JSON objects."""

    child: Child
    line: socket.socket
    events: queue.Queue[Any] = field(default_factory=queue.Queue)
    complained: Kept = field(default_factory=lambda: Kept(4_000))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: dict[str, Any]) -> None:
        """Raises ProgramEnded where it hears no more."""
        data = json.dumps(message).encode() + b"\n"
        try:
            with self._lock:
                self.line.sendall(data)
        except OSError:
            raise self.lost("it hears no more") from None

    def lost(self, why: str) -> ProgramEnded:
        return ended(self.child, self.complained, why)

    def follow(self) -> None:
        """Read both of its outputs until they end."""
        threading.Thread(target=self._follow, name="claude-events", daemon=True).start()
        threading.Thread(target=self._hear_complaints, name="claude-errors", daemon=True).start()

    def _follow(self) -> None:
        line = b""
        with suppress(OSError, ValueError):
            while (piece := self.line.recv(65_536)) and len(line) < MOST_LINE_BYTES:
                *lines, line = (line + piece).split(b"\n")
                for each in lines:
                    with suppress(ValueError):
                        self.events.put(json.loads(each))
        self.events.put(END)

    def _hear_complaints(self) -> None:
        assert self.child.stderr is not None
        with suppress(OSError, ValueError):
            while piece := os.read(self.child.stderr.fileno(), 65_536):
                self.complained.add(piece)

    def close(self) -> None:
        self.child.stop(grace_s=0.3)
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)
        self.line.close()


def start_program(place: Place, program: Path, *, session: tuple[str, str], instructions: str) -> Program:
    """Start it and return it once it has answered; `session` is the option that names its session, and the name."""
    folder = place.home / ".claude"
    if folder.is_symlink():
        folder.unlink()
    for name in LEFT_BEHIND:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).unlink(missing_ok=True)
    # A pipe could be opened by way of /proc by what it starts, and be answered in our name; a socket cannot.
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_S, 0))
    with theirs:
        try:
            child = place.spawn(
                _words(program, session, instructions),
                program=program,
                environment={**ENVIRONMENT, "ANTHROPIC_BASE_URL": place.models_url},
                secrets={"ANTHROPIC_API_KEY": place.endpoint.token},
                unread=BROUGHT_ALONG,
                line=theirs,
            )
        except BaseException:
            ours.close()
            raise
    started = Program(child, ours)
    try:
        started.follow()
        _introduce(started)
    except BaseException:
        started.close()
        raise
    return started


def _words(program: Path, session: tuple[str, str], instructions: str) -> tuple[str, ...]:
    return (
        str(program), "-p", "--bare", "--verbose", "--input-format", "stream-json", "--output-format", "stream-json",
        "--permission-prompt-tool", "stdio", "--permission-mode", "default", "--strict-mcp-config",
        "--setting-sources", "", "--settings", json.dumps(SETTINGS), "--tools", ",".join(TOOLS),
        "--model", MODEL, "--append-system-prompt", instructions, *session,
    )  # fmt: skip


def _introduce(program: Program) -> None:
    """Open the protocol of permissions, and wait until it has been taken up."""
    program.send(
        {"type": "control_request", "request_id": "begin", "request": {"subtype": "initialize", "hooks": {}}}
    )
    until = time.monotonic() + START_S
    while True:
        try:
            event = program.events.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise BackendFailed(f"The coding agent did not answer within {START_S:.0f} s.") from None
        if event is END:
            raise program.lost("while it started")
        if event.get("type") == "control_response":
            if event["response"].get("subtype") != "success":
                raise BackendFailed(f"The coding agent did not begin: {event['response'].get('error')}")
            return
