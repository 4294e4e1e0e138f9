"""Where Claude Code is, and how a session of it begins."""

from __future__ import annotations

from pathlib import Path

from agents.coding.finding import find_program
from agents.coding.place import Place
from agents.coding.types import OnText, Session


class Claude:
    name = "claude"
    title = "Claude Code"

    def find(self) -> Path:
        return find_program("claude", setting="SPACEBOT_CLAUDE", missing="Claude Code is not installed here")

    def start(
        self, place: Place, program: Path, *, session_id: str, instructions: str, on_text: OnText
    ) -> Session:
        from agents.coding.claude.session import open_session

        return open_session(
            place, program.resolve(), session_id=session_id, instructions=instructions, on_text=on_text
        )
