"""The one table of who may do what: operations of the API, pages, what pages do, the admin, streams, models.

Whatever answers and is not in here fails the suite. A new subject is a module of its own, joined here.
"""

from __future__ import annotations

from spacebot_site.api.docs import schema
from tests.matrix.table import (
    acts,
    admin,
    api,
    approvals,
    board,
    cortex,
    links,
    memory_export,
    memory_pages,
    notices,
    pages,
    schedules,
    vault,
    working,
)
from tests.matrix.table.rules import Act, Operation, Page, Rows

API: dict[str, Operation] = {
    **api.API,
    **approvals.API,
    **board.API,
    **cortex.API,
    **links.API,
    **memory_export.API,
    **memory_pages.API,
    **notices.API,
    **schedules.API,
    **working.API,
    **vault.API,
}
PAGES: dict[str, Page] = {
    **pages.PAGES,
    **approvals.PAGES,
    **board.PAGES,
    **cortex.PAGES,
    **links.PAGES,
    **memory_pages.PAGES,
    **notices.PAGES,
    **schedules.PAGES,
    **vault.PAGES,
}
ACTS: list[Act] = [
    *acts.ACTS,
    *approvals.ACTS,
    *board.ACTS,
    *cortex.ACTS,
    *links.ACTS,
    *memory_pages.ACTS,
    *notices.ACTS,
    *schedules.ACTS,
]
ADMIN_ROWS: dict[str, Rows] = {
    **admin.ADMIN_ROWS,
    **approvals.ADMIN_ROWS,
    **board.ADMIN_ROWS,
    **cortex.ADMIN_ROWS,
    **links.ADMIN_ROWS,
    **notices.ADMIN_ROWS,
    **schedules.ADMIN_ROWS,
    **working.ADMIN_ROWS,
    **vault.ADMIN_ROWS,
}

OPERATIONS = sorted(
    f"{method.upper()} {path.removeprefix('/api/v1')}"
    for path, operations in schema()["paths"].items()
    for method in operations
)
# These run in coroutines with connections of their own, so they need rows that are committed.
COROUTINES = ["GET /events", f"POST {api.CHAT}/messages"]

# What streams: the WebSocket's addresses; the same as server-sent events are among the operations.

SOCKETS = {"api/v1/events"}
