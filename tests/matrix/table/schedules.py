"""Schedules: seen by who takes part in the conversation they answer into, changed by their owner or a moderator of these."""

from __future__ import annotations

from tasks.models import Firing, Schedule
from tests.matrix.table.rules import (
    SEEN,
    Act,
    Operation,
    Page,
    Rows,
    form,
    gone,
    list_of,
    ours,
    read,
    taking_part,
)

SCHEDULE = "/schedules/{schedule_id}"
READ, WRITE = "schedules:read", "schedules:write"

API: dict[str, Operation] = {
    "GET /schedules": list_of(READ),
    "POST /schedules": taking_part(
        WRITE, 201,
        lambda world: {
            "conversation_id": world.values["conversation_id"], "prompt": "look", "when": {"phrase": "every day"},
        },
    ),
    "POST /schedules/preview": Operation(READ, stranger=200, body=lambda world: {"phrase": "every day"}),
    f"GET {SCHEDULE}": read(READ, participants=True),
    f"PATCH {SCHEDULE}": taking_part(WRITE, 200, lambda world: {"name": "x"}),
    f"DELETE {SCHEDULE}": taking_part(WRITE, 204),
    f"POST {SCHEDULE}/confirm": taking_part(WRITE),
    f"POST {SCHEDULE}/pause": taking_part(WRITE),
    f"POST {SCHEDULE}/resume": taking_part(WRITE),
    f"POST {SCHEDULE}/reset": taking_part(WRITE),
    f"POST {SCHEDULE}/run": taking_part(WRITE, 201),
    f"GET {SCHEDULE}/firings": read(READ, participants=True),
    f"POST {SCHEDULE}/firings/{{firing_id}}/deliver": taking_part(WRITE),
}  # fmt: skip

PAGES: dict[str, Page] = {
    "schedule/": Page(),
    "schedule/new/": Page(acts=True),
    "schedule/preview/": Page(),
    "schedule/<int:schedule_id>/": Page(participants=True, acts=True),
    "schedule/<int:schedule_id>/edit/": Page(participants=True, acts=True),
    "schedule/<int:schedule_id>/card/": Page(participants=True),
}

ONE = "schedule/<int:schedule_id>/"
ACTS = [
    Act(
        "schedule/new/", "create",
        form(conversation="{conversation_id}", prompt="Made here", when="every day", time_zone="UTC"),
        ours(Schedule, prompt="Made here"), participants=True, refused=200, stranger=200,
    ),
    Act(ONE, "pause", form(act="pause"), ours(Schedule, pk="{schedule_id}", state="paused")),
    Act(ONE, "run", form(act="run"), ours(Firing, schedule="{schedule_id}", trigger="manual")),
    Act(ONE, "delete", form(act="delete"), gone(Schedule, pk="{schedule_id}", deleted_at=None)),
    Act(
        ONE, "deliver", form(act="deliver", firing="{firing_id}"),
        ours(Firing, pk="{firing_id}", delivery="pending"),
    ),
    Act(
        "schedule/<int:schedule_id>/edit/", "edit",
        form(
            conversation="{conversation_id}", name="Edited", prompt="look", when="every hour", time_zone="UTC",
        ),
        ours(Schedule, pk="{schedule_id}", name="Edited"),
    ),
]  # fmt: skip

ADMIN_ROWS: dict[str, Rows] = {"tasks.Schedule": SEEN, "tasks.Firing": SEEN}
