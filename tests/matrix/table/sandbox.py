"""The walls around commands: everyone sees them, owners set them."""

from __future__ import annotations

from agents.models import SandboxSetting
from tests.matrix.table.rules import OWNER, SEEN, Act, Operation, Page, Rows, form, list_of, ours

API: dict[str, Operation] = {
    "GET /sandbox": list_of("agents:read"),
    "PUT /sandbox": Operation("agents:write", 200, OWNER, 200, lambda world: {"mode": "none"}),
}
PAGES: dict[str, Page] = {"settings/sandbox/": Page(acts=True)}
ACTS = [
    Act(
        "settings/sandbox/", "set", form(mode="", network="proxy", writable="", readable=""),
        ours(SandboxSetting, network="proxy", agent=None), lowest=OWNER,
    )
]  # fmt: skip
ADMIN_ROWS: dict[str, Rows] = {"agents.SandboxSetting": SEEN}
