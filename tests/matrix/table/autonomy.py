"""Autonomy and wakes: administrators see and set them, and what an agent is sent from outside."""

from __future__ import annotations

from agents.models import Autonomy, AutonomyRule, Halt
from tasks.models import Wake, WakeEvent
from tests.matrix.table.rules import (
    ADMIN,
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
    read,
)

READ, WRITE = "autonomy:read", "autonomy:write"
ONE, WAKES, QUEUE = (
    "/agents/{agent_id}/autonomy",
    "/agents/{agent_id}/wakes",
    "/agents/{agent_id}/wake-events",
)
WAKE = "/wakes/{wake_id}"

API: dict[str, Operation] = {
    f"GET {ONE}": read(READ, lowest=ADMIN),
    f"PATCH {ONE}": Operation(WRITE, 200, ADMIN, body=lambda world: {"level": "act"}),
    f"POST {ONE}/pause": Operation(WRITE, 200, ADMIN, body=nothing),
    f"POST {ONE}/resume": Operation(WRITE, 200, ADMIN),
    f"POST {ONE}/halt": Operation(WRITE, 201, ADMIN, body=nothing),
    f"GET {ONE}/halt": read(READ, lowest=ADMIN),
    f"GET {ONE}/runs": read(READ, lowest=ADMIN),
    "GET /autonomy": list_of(READ, lowest=ADMIN),
    "PATCH /autonomy": Operation(WRITE, 200, ADMIN, 200, lambda world: {"ceiling": "observe"}),
    "GET /autonomy/agents": list_of(READ, lowest=ADMIN),
    "POST /autonomy/pause": Operation(WRITE, 200, ADMIN, 200, nothing),
    "POST /autonomy/resume": Operation(WRITE, 200, ADMIN, 200),
    "POST /autonomy/halt": Operation(WRITE, 201, ADMIN, 201, nothing),
    "GET /autonomy/halt": read(READ, lowest=ADMIN),
    f"GET {WAKES}": read(READ, lowest=ADMIN),
    f"POST {WAKES}": Operation(
        WRITE, 201, ADMIN, body=lambda world: {"trigger": "schedule", "name": "x", "interval_s": 600}
    ),
    f"GET {WAKE}": read(READ, lowest=ADMIN),
    f"PATCH {WAKE}": Operation(WRITE, 200, ADMIN, body=lambda world: {"name": "Sales"}),
    f"DELETE {WAKE}": Operation(WRITE, 204, ADMIN),
    f"POST {WAKE}/token": Operation(WRITE, 200, ADMIN),
    f"POST {WAKE}/fire": Operation(WRITE, 201, ADMIN, body=lambda world: {"payload": {"order": 7}}),
    f"GET {QUEUE}": read(READ, lowest=ADMIN),
    f"GET {QUEUE}/{{event_id}}/payloads": read(READ, lowest=ADMIN),
}  # fmt: skip

PAGE, ALL = "agents/<slug:slug>/autonomy/", "settings/autonomy/"
NEW_WAKE, ONE_WAKE = "agents/<slug:slug>/wakes/new/", "agents/<slug:slug>/wakes/<int:wake_id>/"
PAGES: dict[str, Page] = {
    PAGE: Page(lowest=ADMIN, ours=True, acts=True),
    NEW_WAKE: Page(lowest=ADMIN, ours=True, acts=True),
    ONE_WAKE: Page(lowest=ADMIN, ours=True, acts=True),
    ALL: Page(lowest=ADMIN, acts=True),
}
MINE = {"agent": "{agent_id}"}
ACTS = [
    Act(PAGE, "level", form(act="level", level="observe"), ours(Autonomy, level="observe", **MINE)),
    Act(
        PAGE, "limits",
        form(
            act="limits", interval_min="45", gap_s="60", active_from="", active_until="", timeout_min="10",
            tasks_per_run="2", tasks_per_day="20", minutes_per_day="120", run_history="5",
        ),
        ours(Autonomy, interval_s=2_700, **MINE),
    ),
    Act(PAGE, "pause", form(act="pause"), ours(Autonomy, paused_at__isnull=False, **MINE)),
    Act(PAGE, "halt", form(act="halt"), ours(Halt, by__isnull=False, **MINE)),
    Act(
        NEW_WAKE, "create", form(trigger="event", name="Heard", happening="task.approved"),
        ours(Wake, name="Heard", agent_id="{agent_id}"),
    ),
    Act(ONE_WAKE, "save", form(act="save", name="Sales"), ours(Wake, pk="{wake_id}", name="Sales")),
    Act(ONE_WAKE, "switch", form(act="switch"), ours(Wake, pk="{wake_id}", enabled=False)),
    Act(
        ONE_WAKE, "fire", form(act="fire", payload="eight"),
        ours(WakeEvent, wake="{wake_id}", state="pending"),
    ),
    Act(ONE_WAKE, "delete", form(act="delete"), gone(Wake, pk="{wake_id}")),
    Act(ALL, "ceiling", form(act="ceiling", ceiling="observe"), ours(AutonomyRule, ceiling="observe")),
    Act(ALL, "pause", form(act="pause"), ours(AutonomyRule, paused_at__isnull=False)),
    Act(ALL, "halt", form(act="halt"), ours(Halt, by__isnull=False, agent=None)),
]  # fmt: skip

ADMIN_ROWS: dict[str, Rows] = {
    "agents.Autonomy": Rows(change=True),
    "agents.AutonomyRule": Rows(change=True),
    "agents.Halt": SEEN,
    "tasks.Wake": SEEN,
    "tasks.WakeEvent": SEEN,
    "tasks.WakePayload": SEEN,
}
