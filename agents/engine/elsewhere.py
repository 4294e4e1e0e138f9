"""Asks the coding agent of a process where another process asks a model."""

from __future__ import annotations

from accounts.boundaries import reach
from accounts.database import release_connection
from agents.engine.contexts import call_context
from agents.engine.journal import DatabaseJournal
from agents.processes.coder import Coder
from llm.types import CancelToken, ChatRequest, ChatResponse


class Elsewhere:
    def __init__(self, process: Coder, journal: DatabaseJournal) -> None:
        self.process, self.journal = process, journal
        self.context = call_context(process)

    def __call__(self, request: ChatRequest, cancel: CancelToken) -> ChatResponse:
        conversation = self.process.conversation
        release_connection()
        reach("model.before")
        response = conversation.answer(request, cancel)
        reach("model.after")
        self.journal.cost_usd = conversation.cost_usd
        self.journal.redactions = conversation.redactions
        return response
