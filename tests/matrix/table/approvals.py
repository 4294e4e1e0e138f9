"""Approvals, grants, the rules of who decides, and the policies of tools."""

from __future__ import annotations

from agents.models import ToolPolicy
from tasks.models import Approval, ApprovalRule, Grant
from tests.matrix.table.rules import (
    ADMIN,
    MEMBER,
    MODERATOR,
    SEEN,
    Act,
    Operation,
    Page,
    Rows,
    form,
    gone,
    list_of,
    nothing,
    ours,
)

APPROVAL = "/approvals/{approval_id}"

API: dict[str, Operation] = {
    "GET /tools": list_of("agents:read"),
    "PUT /tools/{tool}/policy": Operation(
        "agents:write", 200, ADMIN, 200, lambda world: {"policy": "ask"}
    ),
    "GET /approvals": list_of("approvals:read"),
    "POST /approvals/decide": Operation(
        "approvals:write", 200, MEMBER, 200,
        lambda world: {"ids": [world.values["approval_id"]], "verdict": "approve"},
    ),
    f"GET {APPROVAL}": Operation("approvals:read"),
    f"POST {APPROVAL}/decide": Operation(
        "approvals:write", 200, MODERATOR, body=lambda world: {"verdict": "approve"}
    ),
    f"POST {APPROVAL}/answer": Operation("approvals:write", 200, body=lambda world: {"text": "because"}),
    f"POST {APPROVAL}/withdraw": Operation("approvals:write", 200, body=nothing),
    "GET /grants": list_of("approvals:read"),
    "POST /grants/{grant_id}/revoke": Operation("approvals:write", 200, MODERATOR, body=nothing),
    "GET /approval-rules": list_of("approvals:manage", lowest=ADMIN),
    "PUT /approval-rules": Operation(
        "approvals:manage", 200, ADMIN, 200, lambda world: {"minimum_role": "admin"}
    ),
    "DELETE /approval-rules/{rule_id}": Operation("approvals:manage", 204, ADMIN),
}  # fmt: skip

PAGES: dict[str, Page] = {
    "approvals/": Page(acts=True),
    "approvals/grants/": Page(acts=True),
    "approvals/<int:approval_id>/": Page(ours=True, acts=True),
    "settings/tools/": Page(acts=True),
}

ACTS: list[Act] = [
    Act(
        "approvals/", "reject chosen", form(act="reject", approval="{approval_id}"),
        ours(Approval, pk="{approval_id}", state="rejected"), lowest=MODERATOR,
    ),
    Act(
        "approvals/<int:approval_id>/", "reject", form(act="reject"),
        ours(Approval, pk="{approval_id}", state="rejected"), lowest=MODERATOR,
    ),
    Act(
        "approvals/<int:approval_id>/", "answer", form(act="answer", comment="because"),
        lambda world: bool(Approval.objects.get(pk=world.values["approval_id"]).discussion),
    ),
    Act(
        "approvals/<int:approval_id>/", "withdraw", form(act="withdraw"),
        ours(Approval, pk="{approval_id}", state="withdrawn"),
    ),
    Act(
        "approvals/grants/", "revoke", form(grant="{grant_id}"),
        ours(Grant, pk="{grant_id}", revoked_at__isnull=False), lowest=MODERATOR,
    ),
    Act(
        "settings/tools/", "policy", form(act="policy", tool="append_file", policy="ask"),
        ours(ToolPolicy, tool="append_file", policy="ask"), lowest=ADMIN,
    ),
    Act(
        "settings/tools/", "rule",
        form(act="rule", minimum_role="owner", needed="1", days="7"),
        ours(ApprovalRule, minimum_role="owner"), lowest=ADMIN,
    ),
    Act(
        "settings/tools/", "delete rule", form(act="delete_rule", rule="{rule_id}"),
        gone(ApprovalRule, pk="{rule_id}"), lowest=ADMIN,
    ),
]  # fmt: skip

ADMIN_ROWS: dict[str, Rows] = {
    "agents.ToolPolicy": SEEN,
    "tasks.Approval": SEEN,
    "tasks.ApprovalRule": SEEN,
    "tasks.Decision": SEEN,
    "tasks.Grant": SEEN,
}
