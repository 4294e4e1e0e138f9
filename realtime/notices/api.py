"""Notices over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status

from accounts.api_basics import Id, Limit, Needs, Page, Strict, actor_of, read_cursor
from realtime.access import READ_SCOPE
from realtime.models import Notice
from realtime.notices import queries, services

router = Router()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


class NoticeOut(Schema):
    id: int
    kind: str
    title: str
    text: str
    subject: str
    subject_id: int | None
    conversation_id: int | None
    count: int
    created_at: datetime
    updated_at: datetime
    read_at: datetime | None


class UnreadOut(Schema):
    unread: int


class NoticeSettingOut(Schema):
    mailed_kinds: list[str]


class NoticeSettingIn(Strict):
    mailed_kinds: list[str]


@router.get("/notices", response=Page[NoticeOut], auth=Needs(READ_SCOPE))
def list_notices(
    request: HttpRequest, unread: bool = False, cursor: str | None = None, limit: Limit = 50
) -> dict[str, Any]:
    """Your own notices, the newest first."""
    at = read_cursor(cursor)
    rows, following = queries.list_notices(
        actor_of(request), unread=unread, before=None if at is None else EPOCH + at * TICK, limit=limit
    )
    return {"items": rows, "next": None if following is None else str((following - EPOCH) // TICK)}


@router.get("/notices/unread", response=UnreadOut, auth=Needs(READ_SCOPE))
def count_unread(request: HttpRequest) -> dict[str, int]:
    """How many of your notices are unread, 100 at most."""
    return {"unread": queries.count_unread(actor_of(request))}


@router.post("/notices/read", response={204: None}, auth=Needs("conversations:write"))
def mark_all_read(request: HttpRequest) -> Status[None]:
    """Mark all your notices as read."""
    services.mark_all_read(actor_of(request))
    return Status(204, None)


@router.get("/notices/settings", response=NoticeSettingOut, auth=Needs(READ_SCOPE))
def get_settings(request: HttpRequest) -> dict[str, list[str]]:
    """Which kinds you also get by mail."""
    return {"mailed_kinds": queries.mailed_kinds(actor_of(request))}


@router.put("/notices/settings", response=NoticeSettingOut, auth=Needs("conversations:write"))
def put_settings(request: HttpRequest, body: NoticeSettingIn) -> dict[str, list[str]]:
    """Choose which kinds you also get by mail."""
    return {"mailed_kinds": services.set_mailed_kinds(actor_of(request), body.mailed_kinds).mailed_kinds}


@router.post("/notices/{notice_id}/read", response=NoticeOut, auth=Needs("conversations:write"))
def mark_read(request: HttpRequest, notice_id: Id) -> Notice:
    """Mark one notice as read."""
    return services.mark_read(actor_of(request), notice_id)
