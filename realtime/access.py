"""Who may hear what. Denied unless something here says otherwise."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import ApiToken, Membership
from realtime.frames import Frame
from realtime.threads import in_thread

logger = logging.getLogger(__name__)

READ_SCOPE = "events:read"
REMEMBER_S = 30.0
REMEMBER_CONVERSATIONS = 10_000
MEMBERS_CHANGED = frozenset({"conversation.changed", "conversation.members_changed"})

ConversationGate = Callable[[int, int], bool]
_conversation_gate: ConversationGate | None = None


def set_conversation_gate(gate: ConversationGate | None) -> None:
    """Install `gate(user_id, conversation_id)`. Without one, nobody hears conversations."""
    global _conversation_gate
    _conversation_gate = gate


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who listens, with what authority, and by what right (a token or a session)."""

    organization_id: int
    user_id: int
    level: int
    token_id: int | None = None
    session_key: str | None = None


def viewer_for(actor: Actor, *, session_key: str | None = None) -> Viewer:
    """Return the viewer for an actor. Raises Forbidden if its token may not read events."""
    actor.check_scope(READ_SCOPE)
    return Viewer(actor.organization.pk, actor.user.pk, actor.level, actor.token_id, session_key)


def check_again(viewer: Viewer) -> Viewer | None:
    """Return the viewer with the level it has now; None if it may not listen any more."""
    membership = (
        Membership.objects.filter(organization_id=viewer.organization_id, user_id=viewer.user_id)
        .filter(user__is_active=True)
        .first()
    )
    if membership is None:
        return None
    now = timezone.now()
    if viewer.token_id is not None:
        usable = ApiToken.objects.filter(pk=viewer.token_id, revoked_at=None, scopes__contains=[READ_SCOPE])
        if not usable.filter(Q(expires_at=None) | Q(expires_at__gt=now)).exists():
            return None
    if viewer.session_key and not Session.objects.filter(pk=viewer.session_key, expire_date__gt=now).exists():
        return None
    return replace(viewer, level=membership.level)


class Visibility:
    """The gate's answers, remembered for a while and shared by all sockets of a process."""

    def __init__(self) -> None:
        self._answers: dict[int, dict[int, tuple[float, asyncio.Task[bool]]]] = {}

    def forget(self, conversation_id: int | None) -> None:
        self._answers.pop(conversation_id or 0, None)

    async def may_see(self, viewer: Viewer, frame: Frame) -> bool:
        if frame.minimum_level > viewer.level:
            return False
        if frame.user_id is not None and frame.user_id != viewer.user_id:
            return False
        return frame.conversation_id is None or await self._may_read(viewer.user_id, frame.conversation_id)

    async def _may_read(self, user_id: int, conversation_id: int) -> bool:
        if len(self._answers) > REMEMBER_CONVERSATIONS:
            self._answers.clear()
        answers = self._answers.setdefault(conversation_id, {})
        known = answers.get(user_id)
        if known is None or known[0] < time.monotonic():
            asked = asyncio.create_task(in_thread(ask_gate, user_id, conversation_id))
            known = answers[user_id] = (time.monotonic() + REMEMBER_S, asked)
        return await asyncio.shield(known[1])


def ask_gate(user_id: int, conversation_id: int) -> bool:
    """Ask whether the user may read the conversation; an error is a no."""
    if _conversation_gate is None:
        return False
    try:
        return _conversation_gate(user_id, conversation_id)
    except Exception:
        logger.exception("the conversation gate failed")
        return False
