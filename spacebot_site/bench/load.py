"""Turns as a client has them: a message is sent over HTTP, its reply arrives over the WebSocket."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from spacebot_site.bench.client import Api

MARK = re.compile(r"\bm-[0-9a-z]+-\d+\b")
REPLY_WITHIN_S = 60.0


@dataclass
class Turn:
    """One message and its replies; times are on the machine's monotonic clock."""

    mark: str
    conversation_id: int
    sent_at: float = 0.0
    replied_at: float = 0.0
    replies: int = 0
    crossed: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def took_s(self) -> float:
        return self.replied_at - self.sent_at


class Load:
    """Sends messages and matches replies to them by mark. `hear` takes the events."""

    def __init__(self, api: Api, agent_id: int) -> None:
        self.api = api
        self.agent_id = agent_id
        self.turns: dict[str, Turn] = {}

    def hear(self, event: dict[str, Any]) -> None:
        if event["kind"] != "message.created":
            return
        message = event["payload"]["message"]
        if message["direction"] != "out":
            return
        for mark in MARK.findall(message["text"]):
            if turn := self.turns.get(mark):
                turn.replies += 1
                turn.crossed += message["conversation_id"] != turn.conversation_id
                turn.replied_at = turn.replied_at or time.monotonic()
                turn.done.set()

    async def start_conversations(self, count: int) -> list[int]:
        found = []
        for number in range(count):
            body = {"agent_id": self.agent_id, "kind": "dm", "title": f"bench {number}"}
            found.append((await self.api.post("/conversations", body))["id"])
        return found

    async def turn(self, conversation_id: int) -> Turn:
        """Send a message and wait for its reply; a turn without one within a minute counts as lost."""
        mark = f"m-{conversation_id}-{len(self.turns)}"
        turn = self.turns[mark] = Turn(mark, conversation_id, sent_at=time.monotonic())
        await self.api.post(f"/conversations/{conversation_id}/messages", {"text": f"say {mark}"})
        try:
            async with asyncio.timeout(REPLY_WITHIN_S):
                await turn.done.wait()
        except TimeoutError:
            pass
        return turn

    async def sequential(self, conversation_id: int, count: int) -> list[Turn]:
        return [await self.turn(conversation_id) for _ in range(count)]

    async def at_once(self, conversations: Sequence[int]) -> tuple[list[Turn], float]:
        """Return a turn in each conversation, all sent at the same instant, and the wall time of all."""
        began = time.monotonic()
        turns = await asyncio.gather(*(self.turn(one) for one in conversations))
        return turns, time.monotonic() - began

    async def steadily(self, conversations: Sequence[int], *, per_s: float, seconds: float) -> list[Turn]:
        """Send at fixed instants whatever the replies do, going round the conversations."""
        began, tasks = time.monotonic(), []
        for number in range(int(per_s * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
            conversation = conversations[number % len(conversations)]
            tasks.append(asyncio.create_task(self.turn(conversation)))
        return list(await asyncio.gather(*tasks))

    async def as_fast_as_it_goes(
        self, conversations: Sequence[int], *, seconds: float
    ) -> tuple[list[Turn], float]:
        """Keep one turn under way in each conversation for a while; return the turns and how long they took."""
        began = time.monotonic()

        async def keep_on(conversation_id: int) -> list[Turn]:
            turns = []
            while time.monotonic() - began < seconds:
                turns.append(await self.turn(conversation_id))
            return turns

        found = await asyncio.gather(*(keep_on(one) for one in conversations))
        return [turn for turns in found for turn in turns], time.monotonic() - began

    def faults(self) -> dict[str, int]:
        """Return how many turns were lost, answered twice, or answered in another conversation."""
        turns = self.turns.values()
        return {
            "lost": sum(not turn.replies for turn in turns),
            "doubled": sum(turn.replies > 1 for turn in turns),
            "crossed": sum(turn.crossed for turn in turns),
        }


async def find_agent(api: Api) -> int:
    page = await api.get("/agents")
    found: int = (page["items"] if isinstance(page, dict) else page)[0]["id"]
    return found
