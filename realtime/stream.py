"""What one client hears: first what it missed, then what happens, without gap or double."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass

from realtime import queries
from realtime.access import Viewer, check_again
from realtime.frames import Frame, client_text
from realtime.hub import READ_BATCH, Hub, Listener, current_hub
from realtime.threads import in_thread

HEARTBEAT_S = 15.0
CHECK_AGAIN_S = 30.0
REPLAY_LIMIT = 5_000

HEARTBEAT, READY, FELL_BEHIND = "heartbeat", "ready", "fell_behind"


class AccessEnded(Exception):
    """The membership, token, session or user that carried this stream is gone."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something to send; `number` only for stored events. After `fell_behind` nothing follows."""

    kind: str
    number: int | None
    text: str


def _notice(kind: str, last: int) -> Item:
    text = client_text(
        number=None, kind=kind, payload_json=json.dumps({"last": last}), conversation_id=None, at=None
    )
    if kind == FELL_BEHIND:
        text = json.dumps({"id": None, "kind": kind, "last": last, "payload": {"last": last}})
    return Item(kind, None, text)


async def stream(
    viewer: Viewer, *, after: int | None = None, conversation_id: int | None = None
) -> AsyncGenerator[Item, None]:
    """Yield what the viewer may hear after number `after` (None: from now on), for ever.

    `ready` comes when the past is told; a heartbeat when it was quiet. With `conversation_id`, events of
    other conversations are left out. Raises AccessEnded when the viewer may not listen any more.
    """
    hub, listener = current_hub(), Listener(viewer.user_id)
    joined = await hub.join(viewer.organization_id, listener)
    try:
        last = joined
        if after is not None and after != joined:
            last = after
            async for frame in _replay(viewer.organization_id, after, joined):
                if frame is None:
                    yield _notice(FELL_BEHIND, joined)
                    return
                last = frame.number or last
                if await _wanted(hub, viewer, frame, conversation_id):
                    yield Item(frame.kind, frame.number, frame.text)
        yield _notice(READY, last)
        async for item in _live(hub, listener, viewer, last, conversation_id):
            yield item
    finally:
        hub.leave(viewer.organization_id, listener)


async def _replay(organization_id: int, after: int, until: int) -> AsyncIterator[Frame | None]:
    """Yield the stored frames in between; None if they cannot all be had."""
    if after > until and after > await in_thread(queries.last_number, organization_id):
        yield None
        return
    if until - after > REPLAY_LIMIT:
        yield None
        return
    while after < until:
        frames = await in_thread(queries.list_frames, organization_id, after, until, READ_BATCH)
        if not frames or frames[0].number != after + 1:
            yield None
            return
        for frame in frames:
            yield frame
        after = frames[-1].number or until


async def _live(
    hub: Hub, listener: Listener, viewer: Viewer, last: int, conversation_id: int | None
) -> AsyncGenerator[Item, None]:
    quiet_until = time.monotonic() + HEARTBEAT_S
    check_at = time.monotonic() + CHECK_AGAIN_S
    while True:
        now = time.monotonic()
        frames = await listener.take(max(0.0, min(quiet_until, check_at) - now))
        now = time.monotonic()
        if listener.access_changed or now >= check_at:
            listener.access_changed, check_at = False, now + CHECK_AGAIN_S
            found = await in_thread(check_again, viewer)
            if found is None:
                raise AccessEnded
            viewer = found
        for frame in frames:
            if frame.number is not None:
                if frame.number <= last:
                    continue
                last = frame.number
            if await _wanted(hub, viewer, frame, conversation_id):
                quiet_until = now + HEARTBEAT_S
                yield Item(frame.kind, frame.number, frame.text)
        if listener.fell_behind:
            yield _notice(FELL_BEHIND, last)
            return
        if now >= quiet_until:
            quiet_until = now + HEARTBEAT_S
            yield _notice(HEARTBEAT, last)


async def _wanted(hub: Hub, viewer: Viewer, frame: Frame, conversation_id: int | None) -> bool:
    if conversation_id is not None and frame.conversation_id not in (None, conversation_id):
        return False
    return await hub.visibility.may_see(viewer, frame)
