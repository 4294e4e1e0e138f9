"""People who keep writing while things die: they send again what was not confirmed, and reconnect to listen."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from spacebot_site.bench.client import Api, Refused

VERBS = ("say", "say", "think", "work")
KEEP_TRYING_S = 120.0
RETRY_S = 0.3


async def insist(api: Api, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask until there is an answer. The caller sees to it that asking twice is asking once."""
    give_up = time.monotonic() + KEEP_TRYING_S
    while True:
        try:
            return await (api.get(path) if body is None else api.post(path, body))
        except (OSError, TimeoutError, Refused) as error:
            permanent = isinstance(error, Refused) and error.status < 500 and error.status != 429
            if permanent or time.monotonic() > give_up:
                raise
        await asyncio.sleep(RETRY_S)


class People:
    """Write in their conversations until told to stop. `marks` are those of the messages that were accepted."""

    def __init__(self, api: Api, conversations: list[int], *, seed: int) -> None:
        self.api = api
        self.conversations = conversations
        self.random = random.Random(seed)
        self.marks: list[str] = []
        self._sent = 0

    async def write(self, *, each: int, pause_s: float, stop: asyncio.Event) -> None:
        """Go round all conversations `each` times, and on until `stop`; now and then two messages come at once."""
        pending: set[asyncio.Task[None]] = set()
        round_number = 0
        while round_number < each or not stop.is_set():
            self.random.shuffle(self.conversations)
            for conversation in self.conversations:
                for _ in range(2 if self.random.random() < 0.2 else 1):
                    task = asyncio.create_task(self._send(conversation))
                    pending.add(task)
                    task.add_done_callback(pending.discard)
                await asyncio.sleep(pause_s)
                if stop.is_set() and round_number >= each:
                    break
            round_number += 1
        await asyncio.gather(*pending)

    async def _send(self, conversation: int) -> None:
        self._sent += 1
        mark = f"m-{conversation}-{self._sent}"
        body = {"text": f"{self.random.choice(VERBS)} {mark}", "client_id": mark}
        await insist(self.api, f"/conversations/{conversation}/messages", body)
        self.marks.append(mark)


class Ear:
    """Hears every stored event, through every reconnection, and keeps how often it heard each message."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.heard: Counter[int] = Counter()
        self.last: int | None = None
        self.fell_behind = False

    async def listen(self) -> None:
        """Listen for ever; after a break ask for what came since the last event."""
        while True:
            try:
                await self._listen_once()
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(RETRY_S)

    async def _listen_once(self) -> None:
        after = "" if self.last is None else f"?after={self.last}"
        address = f"ws://127.0.0.1:{self.api.port}/api/v1/events{after}"
        headers = {"Authorization": f"Bearer {self.api.token}"}
        async with connect(address, additional_headers=headers, compression=None, max_queue=None) as socket:
            async for text in socket:
                event = json.loads(text)
                if event["kind"] == "fell_behind":
                    self.fell_behind = True
                elif event["kind"] == "ready" and self.last is None:
                    self.last = event["payload"]["last"]
                elif event["id"] is not None:
                    self.last = event["id"]
                    if event["kind"] == "message.created":
                        self.heard[event["payload"]["message"]["id"]] += 1
