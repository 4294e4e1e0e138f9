"""Version 1 of the API."""

from __future__ import annotations

from ninja import NinjaAPI

import accounts.api
import agents.api
import llm.api
import memory.ingestion.api
import realtime.api
import secret_store.api
import tasks.api
from spacebot_site.api import health, problems
from spacebot_site.api.parsing import StrictJson

DESCRIPTION = """\
Everything the pages can do. Send `Authorization: Bearer <token>`, or use the browser's session together with
the `X-CSRFToken` header. Lists answer `{items, next}`; hand `next` back as `cursor`. Errors are
`application/problem+json` with `{type, title, status, detail, field?}`.
"""

api = NinjaAPI(
    title="Spacebot",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    openapi_url=None,
    urls_namespace="api",
    parser=StrictJson(),
)
problems.install(api)
api.add_router("", health.router)
api.add_router("", accounts.api.router, tags=["organization"])
api.add_router("", secret_store.api.router, tags=["secrets"])
api.add_router("", realtime.api.router, tags=["events"])
api.add_router("", llm.api.router, tags=["models"])
api.add_router("", memory.ingestion.api.router)
for router in (*tasks.api.routers, *agents.api.routers):
    api.add_router("", router)
