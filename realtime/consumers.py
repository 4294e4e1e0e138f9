"""The WebSocket at /api/v1/events: everything goes out, nothing comes in."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer

from realtime.access import Viewer
from realtime.handshake import enter
from realtime.stream import FELL_BEHIND, AccessEnded, stream
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 20.0
ACCESS_ENDED, BEHIND, FAILED = 4001, 4008, 1011


class EventSocket(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Streams events until either side ends it. Close codes: 4001 access ended, 4008 fell behind."""

    channel_layer_alias = ""  # the hub hears the bus once for all sockets
    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        found = await in_thread(enter, self.scope)
        if found is None:
            await self.close()
            return
        viewer, after, conversation_id, subprotocol = found
        await self.accept(subprotocol)
        self._sending = asyncio.create_task(self._stream(viewer, after, conversation_id))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignore what clients say: a browser without ping frames may keep its proxy awake."""

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending

    async def _stream(self, viewer: Viewer, after: int | None, conversation_id: int | None) -> None:
        code = FAILED
        try:
            async with aclosing(stream(viewer, after=after, conversation_id=conversation_id)) as items:
                async for item in items:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await self.send(text_data=item.text)
                    if item.kind == FELL_BEHIND:
                        code = BEHIND
        except AccessEnded:
            code = ACCESS_ENDED
        except TimeoutError:
            code = BEHIND
        except OSError:  # the client is gone
            return
        except Exception:
            logger.exception("an event socket failed")
        with suppress(Exception):
            await self._close(code)

    async def _close(self, code: Any) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self.close(code)
