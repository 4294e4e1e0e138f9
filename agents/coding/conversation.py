"""What stands where a model stands: hears a coding agent until it wants something, and hands that on as a step.

A step that is answered while the session's program runs is answered there: a call is let through, or refused with its reason.
After a wait or a crash the program is another one and has forgotten what it asked; it is told what became of its calls, and makes
those that were approved once more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accounts.database import release_connection
from agents.coding.choosing import choose
from agents.coding.errors import BackendFailed, ProgramEnded
from agents.coding.place import Place, open_place
from agents.coding.types import Asked, CallEnd, Pause, Session
from agents.errors import LostLease
from agents.models import Run
from agents.tools.shell_live import LiveOutput
from llm.errors import Cancelled, LLMError
from llm.services import CallContext
from llm.services.shielding import Shielding
from llm.types import (
    AssistantMessage,
    CancelToken,
    ChatMessage,
    ChatRequest,
    ChatResponse,
    StopReason,
    ToolCall,
    ToolResult,
    Usage,
    UserMessage,
)

if TYPE_CHECKING:
    from decimal import Decimal

    from agents.processes.base import Process

ASK = "ask"
GO_ON = "You were interrupted. Go on with your task; look at what is done before you repeat anything."
AGAIN = "This call of yours was let through meanwhile. Make it again now, exactly as it was, before anything else:\n{call}"
NOT_AGAIN = "It was let through, but the coding agent did not make it again."
FIRST = "Not now. First make the call that was let through, exactly as it was."
MOST_OTHERS = 5
MOST_RESTARTS = 2
LONGEST_TOLD = 2_000
LONGEST_RETOLD = 40_000


@dataclass
class Conversation:
    """One execution's part of a session. `cost_usd` and `redactions` are those of the newest answer.

    `breach` says, when it is closed, how the coding agent did what it had not been let.
    """

    process: Process
    context: CallContext
    instructions: str
    cost_usd: Decimal | None = None
    redactions: Mapping[str, int] = field(default_factory=dict)
    breach: str = ""
    _place: Place | None = None
    _session: Session | None = None
    _was_told: bool = False
    _is_continued: bool = False
    _given: tuple[Asked, ...] = ()
    _said: list[str] = field(default_factory=list)
    _live: LiveOutput | None = None

    def answer(self, request: ChatRequest, cancel: CancelToken) -> ChatResponse:
        """Tell the session what is new, and return what it says and wants. Raises NoBackend, BackendFailed, LLMError."""
        restarts = 0
        while True:
            try:
                with LiveOutput(
                    self.process.run, f"run{self.process.run.pk}.said", self.process.shield
                ) as self._live:
                    session = self._session_for(cancel)
                    self._tell(session, request)
                    return self._response(session, session.listen(cancel))
            except BackendFailed as failed:
                error = self._cause(failed, cancel)
                self.close()
                restarts += 1
                if restarts > MOST_RESTARTS or not isinstance(error, ProgramEnded):
                    raise error from None

    def perform(self, tool: str, arguments: dict[str, Any], key: str, cancel: CancelToken) -> CallEnd:
        """Let the session make a call that passed the gate, and return what came of it."""
        try:
            session = self._session_for(cancel)
            place = int(key.rpartition(".")[2])
            asked = self._given[place] if place < len(self._given) else None
            if asked not in session.waiting():
                asked = self._made_again(session, tool, arguments, cancel)
            if asked is None:
                return CallEnd(NOT_AGAIN, has_failed=True)
            with LiveOutput(self.process.run, key, self.process.shield) as live:
                session.allow(asked)
                return session.end_of(asked, cancel, live.add)
        except BackendFailed as failed:
            raise self._cause(failed, cancel) from None

    def close(self) -> None:
        """End the program; the session can be taken up by another."""
        if self._session is not None:
            self.breach = self._session.close() or self.breach
        if self._place is not None:
            self._place.close()
        self._session, self._place, self._was_told, self._given = None, None, False, ()

    def _session_for(self, cancel: CancelToken) -> Session:
        if self._session is None:
            run = self.process.run
            backend, program = choose(run.agent, name=str(run.input.get("backend") or ""))
            self._place = open_place(run, self.context, cancel)
            known = str(run.input.get("session") or "")
            self._session = backend.start(
                self._place,
                program,
                session_id=known,
                instructions=self.instructions,
                on_text=self._show,
            )
            self._is_continued = known == self._session.id
            self._keep(backend.name, self._session.id)
        return self._session

    def _keep(self, backend: str, session_id: str) -> None:
        run, fence = self.process.run, self.process.claim.fence
        run.input = {**run.input, "backend": backend, "session": session_id}
        if not Run.objects.filter(pk=run.pk, fence=fence).update(input=run.input):
            raise LostLease(f"run {run.pk} was taken over")
        release_connection()

    def _tell(self, session: Session, request: ChatRequest) -> None:
        """Say what joined since it last spoke, and what became of what it asked."""
        past, new = _parted(request.messages)
        waiting = {asked.id: asked for asked in session.waiting()}
        words = []
        for message in new:
            if isinstance(message, UserMessage):
                words.append(message.text)
            elif isinstance(message, ToolResult) and message.call_id in waiting:
                session.refuse(waiting[message.call_id], message.text)
            elif isinstance(message, ToolResult) and (message.is_error or message.name == ASK):
                words.append(_became(message, past))
        if not self._was_told and past:
            words[:0] = [] if self._is_continued else [_retold(past)]
            if _was_broken_off(past):
                words.insert(0, GO_ON)
        elif not self._was_told and self._is_continued and session.has_heard("\n\n".join(words)):
            words = [GO_ON]
        self._was_told = True
        if words:
            session.say("\n\n".join(words))

    def _made_again(
        self, session: Session, tool: str, arguments: dict[str, Any], cancel: CancelToken
    ) -> Asked | None:
        """Have a call that was approved after its program had gone made once more by the one that runs now."""
        self._was_told = True
        session.say(AGAIN.format(call=json.dumps({"tool": tool, **arguments}, ensure_ascii=False)))
        for _ in range(MOST_OTHERS):
            pause = session.listen(cancel)
            self._said.append(pause.text)
            if not pause.asked:
                return None
            for asked in pause.asked:
                if asked.tool == tool and json.loads(self._shielded(asked).arguments) == arguments:
                    return asked
            for asked in pause.asked:
                session.refuse(asked, FIRST)
        return None

    def _response(self, session: Session, pause: Pause) -> ChatResponse:
        assert self._place is not None
        self._given = pause.asked
        spent = self._place.endpoint.take_spent()
        text = "\n\n".join(part for part in (*self._said, pause.text) if part).replace("\0", "\ufffd")
        self._said.clear()
        calls = tuple(ToolCall(asked.id, asked.tool, json.dumps(asked.arguments)) for asked in pause.asked)
        response = ChatResponse(
            message=AssistantMessage(text, calls),
            usage=spent.usage,
            stop_reason=StopReason.TOOLS if calls else StopReason.END,
            model=session.version,
        )
        self.cost_usd = spent.cost_usd
        shielded, self.redactions = Shielding(self.process.shield).response(response)
        return shielded

    def _shielded(self, asked: Asked) -> ToolCall:
        """Return a call as it would be recorded."""
        call = ToolCall(asked.id, asked.tool, json.dumps(asked.arguments))
        response = ChatResponse(AssistantMessage("", (call,)), Usage(), StopReason.TOOLS, "")
        return Shielding(self.process.shield).response(response)[0].message.tool_calls[0]

    def _cause(self, failed: BackendFailed, cancel: CancelToken) -> BackendFailed | LLMError:
        """Return what lies behind a failure: that the run was stopped, or that no model answered it."""
        if cancel.is_cancelled:
            return Cancelled("The run was stopped.")
        behind = self._place.endpoint.failure if self._place else None
        return behind if behind is not None and not isinstance(failed, ProgramEnded) else failed

    def _show(self, text: str) -> None:
        if self._live is not None:
            self._live.add(text.encode())


def _parted(messages: Sequence[ChatMessage]) -> tuple[Sequence[ChatMessage], Sequence[ChatMessage]]:
    """Return what came up to its newest words, and what came after them."""
    for place in range(len(messages), 0, -1):
        if isinstance(messages[place - 1], AssistantMessage):
            return messages[:place], messages[place:]
    return (), messages


def _was_broken_off(past: Sequence[ChatMessage]) -> bool:
    """Say whether its newest words were not the end of a turn."""
    last = past[-1]
    return isinstance(last, AssistantMessage) and bool(last.tool_calls)


def _became(result: ToolResult, past: Sequence[ChatMessage]) -> str:
    last = past[-1] if past else None
    calls = last.tool_calls if isinstance(last, AssistantMessage) else ()
    arguments = next((call.arguments for call in calls if call.id == result.call_id), "")
    return f"What became of your call {result.name} {arguments[:LONGEST_TOLD]}:\n{result.text[:LONGEST_TOLD]}"


def _retold(messages: Sequence[ChatMessage]) -> str:
    """Return what a session that was lost has to know: the task, and what was said and done."""
    lines = ["Your earlier session is lost. This is what was said and done in it:"]
    for message in messages:
        if isinstance(message, AssistantMessage):
            lines += [f"You: {message.text}"] if message.text else []
            lines += [
                f"You called {call.name} {call.arguments[:LONGEST_TOLD]}" for call in message.tool_calls
            ]
        elif isinstance(message, ToolResult):
            lines.append(f"It gave: {message.text[:LONGEST_TOLD]}")
        else:
            lines.append(message.text)
    return "\n".join(lines)[-LONGEST_RETOLD:]
