"""The gate of everything an agent says to people: known secrets and what looks like one are taken out."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from accounts.errors import NotFound
from messaging.errors import HoldsSecrets
from messaging.models import Conversation, Message
from secret_store.scrubbing.scrubber import Hits
from secret_store.shields import Mode, Shield, shield_for

REDACTIONS = "redactions"
"""The key in a message's metadata under which what was taken out is counted, by name."""


def scrub(shield: Shield, text: str, metadata: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what may be said of it. A text that ends in half a secret or more loses that half: the rest may follow."""
    hits = Hits()
    done = shield.scrub_after("", text)
    hits.add(done.hits)
    cleaned: dict[str, Any] = shield.scrub_json(metadata, hits) if metadata else metadata
    if hits.counts:
        cleaned = {**cleaned, REDACTIONS: dict(hits.counts)}
    return done.text, cleaned


def scrub_further(shield: Shield, before: str, message: Message) -> bool:
    """Take out of a message what completes a secret that `before`, said just before it, began; say whether there was any."""
    done = shield.scrub_after(before, message.text)
    if not done.hits:
        return False
    found = Counter(message.metadata.get(REDACTIONS, {}))
    found.update(done.hits)
    message.text, message.metadata = done.text, {**message.metadata, REDACTIONS: dict(found)}
    return True


def scrub_file(shield: Shield, content: bytes) -> bytes:
    """Return what may leave of a file: plain text without the secrets in it, anything else as it is or not at all.

    Raises HoldsSecrets.
    """
    hits = shield.secrets_in(content) if shield.mode != Mode.OFF else {}
    if not hits:
        return content
    try:
        mended = shield.scrub(content.decode()).text.encode()
    except UnicodeDecodeError:
        raise HoldsSecrets(hits) from None
    if left := shield.secrets_in(mended):
        raise HoldsSecrets(left)
    return mended


def shield_of(conversation_id: int) -> Shield:
    """Return the shield of the conversation's agent."""
    return shield_for(*_owner(conversation_id))


@lru_cache(maxsize=4_096)
def _owner(conversation_id: int) -> tuple[int, int]:
    """A conversation keeps its organization and its agent for good."""
    row = Conversation.objects.filter(pk=conversation_id).values_list("organization_id", "agent_id").first()
    if row is None:
        raise NotFound("There is no such conversation.")
    return row
