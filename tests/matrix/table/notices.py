"""Notices: everyone has their own."""

from __future__ import annotations

from realtime.models import Notice, NoticeSetting
from tests.matrix.table.rules import (
    SEEN,
    Act,
    Operation,
    Page,
    Rows,
    form,
    list_of,
    nothing,
    ours,
    taking_part,
)

API: dict[str, Operation] = {
    "GET /notices": list_of("events:read"),
    "GET /notices/unread": list_of("events:read"),
    "POST /notices/read": Operation("conversations:write", 204, stranger=204, body=nothing),
    "GET /notices/settings": list_of("events:read"),
    "PUT /notices/settings": Operation(
        "conversations:write", 200, stranger=200, body=lambda world: {"mailed_kinds": ["failure"]}
    ),
    "POST /notices/{notice_id}/read": taking_part("conversations:write", 200, nothing),
}
PAGES: dict[str, Page] = {
    "notices/": Page(acts=True),
    "notices/<int:notice_id>/": Page(302, participants=True),
}
ACTS = [
    Act("notices/", "mail", form(act="mail", kinds="done"), ours(NoticeSetting, mailed_kinds=["done"])),
    Act(
        "notices/", "read", form(act="read"), ours(Notice, pk="{notice_id}", read_at__isnull=False),
        participants=True,
    ),
]  # fmt: skip
ADMIN_ROWS: dict[str, Rows] = {"realtime.Notice": SEEN, "realtime.NoticeSetting": SEEN}
