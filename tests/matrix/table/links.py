"""Links between agents, and between people and agents."""

from __future__ import annotations

from agents.models import AgentLink
from tests.matrix.table.rules import ADMIN, SEEN, Act, Operation, Page, Rows, form, gone, list_of, ours

_LINK = "/agent-links/{link_id}"

API: dict[str, Operation] = {
    "GET /agent-links": list_of("agents:read"),
    "POST /agent-links": Operation(
        "agents:write", 201, ADMIN,
        body=lambda world: {
            "first_user_id": world.acme.member.user.pk, "second_agent_id": world.values["agent_id"],
        },
    ),
    f"PATCH {_LINK}": Operation("agents:write", 200, ADMIN, body=lambda world: {"kind": "peer"}),
    f"DELETE {_LINK}": Operation("agents:write", 204, ADMIN),
}  # fmt: skip
PAGES: dict[str, Page] = {"agents/chart/": Page(acts=True)}
ACTS = [
    Act(
        "agents/chart/", "link",
        lambda world: {
            "first": f"user:{world.acme.member.user.pk}", "second": world.values["agent_id"], "kind": "peer",
        },
        ours(AgentLink, kind="peer"), lowest=ADMIN,
    ),
    Act(
        "agents/chart/", "remove", form(act="remove", link="{link_id}"), gone(AgentLink, pk="{link_id}"),
        lowest=ADMIN,
    ),
]  # fmt: skip
ADMIN_ROWS: dict[str, Rows] = {"agents.AgentLink": SEEN}
