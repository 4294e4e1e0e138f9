"""Web chat: people write through our own pages and API; the stored event carries the reply to them."""

from __future__ import annotations

from messaging.adapters.base import BaseAdapter, Capabilities
from messaging.text import MAX_TEXT_LENGTH


class WebChatAdapter(BaseAdapter):
    """Has no connection to hold and nothing to send, so the base class's refusals stand."""

    platform = "webchat"
    capabilities = Capabilities(
        text_limit=MAX_TEXT_LENGTH,
        typing=True,
        reactions=True,
        files=True,
        deduplicates=True,
        delivered_by_event=True,
    )
