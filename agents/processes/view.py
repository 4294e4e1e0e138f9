"""What a channel sees of its conversation: checkpoints, answered history, and what is new."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.logs import get_logger
from agents.context import compaction, history
from agents.context.checkpoints import Past, load_past
from agents.engine.claims import Claim, fenced
from agents.models import Run
from agents.services import checkpoints
from llm.services.tokens import estimate_tokens
from llm.types import ChatMessage, UserMessage

log = get_logger(__name__)


@dataclass(frozen=True)
class View:
    """`cut` is the last message to summarise in the background, None while there is no need; `set_aside` the last one
    that had to leave for this very request, 0 for none.
    """

    past: Past
    lines: tuple[history.Line, ...]
    window: int
    cut: int | None
    set_aside: int = 0

    @property
    def most_tokens(self) -> int:
        return int(self.window * compaction.LINE_SHARE)

    @property
    def new(self) -> tuple[history.Line, ...]:
        """Return the first unanswered line and all after it."""
        return self.lines[self._first_new :]

    @property
    def seq(self) -> int:
        return self.lines[-1].seq if self.lines else self.past.head_seq

    def render_past(self) -> list[ChatMessage]:
        """Render what later requests will repeat unchanged."""
        block = self.past.render(window=self.window)
        before: list[ChatMessage] = [UserMessage(block)] if block else []
        old = self.lines[: self._first_new]
        return before + history.render_history(old, most_tokens=self.most_tokens)

    @property
    def _first_new(self) -> int:
        return next((at for at, line in enumerate(self.lines) if line.unanswered), len(self.lines))


def look(run: Run, claim: Claim, *, base_tokens: int, window: int) -> View:
    """Read the conversation, first setting the oldest part aside if the request would not fit."""
    assert run.conversation_id is not None
    past = load_past(run.conversation_id)
    lines = history.load_lines(run.conversation_id, after_seq=past.head_seq)
    base = base_tokens + estimate_tokens(past.render(window=window))
    measured = compaction.measure(lines, base=base, window=window)
    cut = compaction.emergency_cut(measured)
    if cut is None:
        return View(past, tuple(lines), window, compaction.background_cut(measured))
    _set_aside(run, claim, past.head_seq + 1, [line for line in lines if line.seq <= cut])
    rest = tuple(line for line in lines if line.seq > cut)
    return View(load_past(run.conversation_id), rest, window, None, set_aside=cut)


def _set_aside(run: Run, claim: Claim, from_seq: int, lines: list[history.Line]) -> None:
    """Make an emergency checkpoint, without a model."""
    assert run.conversation_id is not None
    log.warning("channel.emergency_compaction", conversation=run.conversation_id, messages=len(lines))
    with fenced(claim):
        checkpoints.add_checkpoint(
            None,
            organization_id=run.organization_id,
            conversation_id=run.conversation_id,
            from_seq=from_seq,
            to_seq=lines[-1].seq,
            title="",
            summary=checkpoints.excerpt(lines),
        )
