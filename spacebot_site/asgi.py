"""The ASGI application: HTTP through Django, WebSockets through Channels."""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacebot_site.settings")
_pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from agents.mcp.serving.app import PATH as MCP_PATH  # noqa: E402
from agents.mcp.serving.app import mcp_app  # noqa: E402
from realtime.consumers import EventSocket  # noqa: E402
from spacebot_site.api.entry import PREFIX, ApiHandler  # noqa: E402
from spacebot_site.size_limit import SizeLimit  # noqa: E402

_api = ApiHandler()


async def _http(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] in (MCP_PATH, f"{MCP_PATH}/"):
        await mcp_app(scope, receive, send)
    else:
        await (_api if scope["path"].startswith(PREFIX) else _pages)(scope, receive, send)


websocket_urls = [
    path("api/v1/events", EventSocket.as_asgi()),
    re_path("", WebsocketDenier.as_asgi()),
]

application = ProtocolTypeRouter({"http": SizeLimit(_http), "websocket": URLRouter(websocket_urls)})
