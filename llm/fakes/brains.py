"""Ready-made brains for the fake servers."""

from __future__ import annotations

from llm.clients.offline_rules import Seen, answer
from llm.fakes.replies import Brain, FakeReply, FakeRequest


def echo(*, latency_s: float = 0.0, chunk_delay_s: float = 0.0, chunks: int = 3) -> Brain:
    """Drive the tools like the offline stand-in; what it cannot do is answered with "echo: …"."""

    def think(request: FakeRequest) -> FakeReply:
        found = answer(Seen(tools=request.tools, messages=request.messages, echo=True))
        return FakeReply(
            text=found.text,
            tool_calls=found.calls,
            latency_s=latency_s,
            chunk_delay_s=chunk_delay_s,
            chunks=chunks,
        )

    return think
