"""Every platform, by name."""

from __future__ import annotations

from accounts.errors import InvalidInput
from messaging.adapters.base import Adapter
from messaging.adapters.webchat import WebChatAdapter

ADAPTERS: dict[str, type[Adapter]] = {
    "webchat": WebChatAdapter,
}


def get_adapter_class(platform: str) -> type[Adapter]:
    try:
        return ADAPTERS[platform]
    except KeyError:
        raise InvalidInput(f"There is no platform called {platform!r}.", field="platform") from None
