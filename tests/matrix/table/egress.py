"""Where agents may go: administrators read it, owners change it."""

from __future__ import annotations

from agents.models import EgressRule
from tests.matrix.table.rules import (
    ADMIN,
    OWNER,
    SEEN,
    Act,
    Operation,
    Page,
    Rows,
    form,
    gone,
    list_of,
    ours,
)
from tests.matrix.world import World

PAGE = "settings/network/"
API: dict[str, Operation] = {
    "GET /egress/rules": list_of("agents:read", lowest=ADMIN),
    "POST /egress/rules": Operation(
        "agents:write", 201, OWNER, 201, lambda world: {"kind": "allow", "host": "example.org"}
    ),
    "DELETE /egress/rules/{egress_rule_id}": Operation("agents:write", 204, OWNER),
    "GET /egress/refusals": list_of("agents:read", lowest=ADMIN),
}
PAGES: dict[str, Page] = {PAGE: Page(lowest=ADMIN, acts=True)}


def _organization(world: World) -> int:
    return world.acme.organization.pk


ACTS = [
    Act(
        PAGE,
        "add",
        form(act="add", kind="private", host="wiki.lan:8080"),
        ours(EgressRule, host="wiki.lan", port=8080),
        lowest=OWNER,
    ),
    Act(
        PAGE,
        "delete",
        form(act="delete", rule="{egress_rule_id}"),
        gone(EgressRule, pk="{egress_rule_id}"),
        lowest=OWNER,
    ),
]
ADMIN_ROWS: dict[str, Rows] = {"agents.EgressRule": SEEN, "agents.EgressRefusal": SEEN}
