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
    autonomy,
    board,
    cortex,
    egress,
    exchange,
    links,
    mcp,
    memory_export,
    memory_pages,
    notices,
    pages,
    sandbox,
    schedules,
    vault,
    working,
)
from tests.matrix.table.rules import Act, Operation, Page, Rows

API: dict[str, Operation] = {
    **api.API,
    **approvals.API,
    **autonomy.API,
    **board.API,
    **cortex.API,
    **egress.API,
    **exchange.API,
    **links.API,
    **mcp.API,
    **memory_export.API,
    **memory_pages.API,
    **notices.API,
    **sandbox.API,
    **schedules.API,
    **working.API,
    **vault.API,
}
PAGES: dict[str, Page] = {
    **pages.PAGES,
    **approvals.PAGES,
    **autonomy.PAGES,
    **board.PAGES,
    **cortex.PAGES,
    **egress.PAGES,
    **exchange.PAGES,
    **links.PAGES,
    **mcp.PAGES,
    **memory_pages.PAGES,
    **notices.PAGES,
    **sandbox.PAGES,
    **schedules.PAGES,
    **vault.PAGES,
}
ACTS: list[Act] = [
    *acts.ACTS,
    *approvals.ACTS,
    *autonomy.ACTS,
    *board.ACTS,
    *cortex.ACTS,
    *egress.ACTS,
    *exchange.ACTS,
    *links.ACTS,
    *mcp.ACTS,
    *memory_pages.ACTS,
    *notices.ACTS,
    *sandbox.ACTS,
    *schedules.ACTS,
]
ADMIN_ROWS: dict[str, Rows] = {
    **admin.ADMIN_ROWS,
    **approvals.ADMIN_ROWS,
    **autonomy.ADMIN_ROWS,
    **board.ADMIN_ROWS,
    **cortex.ADMIN_ROWS,
    **egress.ADMIN_ROWS,
    **exchange.ADMIN_ROWS,
    **links.ADMIN_ROWS,
    **mcp.ADMIN_ROWS,
    **notices.ADMIN_ROWS,
    **sandbox.ADMIN_ROWS,
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
