"""What tools of a run saw, among the attachments: bounded, no file of the conversation, gone after its time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import NotFound
from messaging.attachments import pictures, queries, store, upkeep
from messaging.models import Attachment, Conversation
from tests.pictures import png

PNG = png()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.SPACEBOT_HOME = tmp_path


def keep(conversation: Conversation, *found: bytes, call: str = "run1.0.0", run_id: int = 1) -> int:
    return pictures.keep(conversation.organization_id, conversation.pk, run_id, call, found)


def test_only_pictures_of_a_bounded_size_are_kept_and_the_same_call_keeps_them_once(
    conversation: Conversation,
) -> None:
    large, wide = PNG + b"\0" * pictures.MOST_BYTES, png(20_000, 20_000)
    assert keep(conversation, PNG, SVG, b"<html>", b"%PDF-1.7", large, wide, PNG[:8], PNG + b"2") == 2
    assert keep(conversation, PNG) == 0
    assert keep(conversation, *[PNG] * 20, call="run1.0.1") == pictures.MOST_PER_CALL
    found = pictures.pictures_of(conversation.organization_id, 1)
    assert {call: len(rows) for call, rows in found.items()} == {"run1.0.0": 2, "run1.0.1": 10}


def test_the_oldest_of_a_conversation_go_and_their_bytes_too(
    conversation: Conversation, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(pictures, "MOST_PER_CONVERSATION", 3)
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(5):
            keep(conversation, PNG, call=f"run1.0.{number}")
    kept = pictures.pictures_of(conversation.organization_id, 1)
    assert sorted(kept) == ["run1.0.2", "run1.0.3", "run1.0.4"]
    assert len([path for path in store.folder().rglob("*") if path.is_file()]) == 3


def test_they_are_no_files_of_the_conversation_and_take_no_room_of_theirs(
    team: Any, conversation: Conversation
) -> None:
    keep(conversation, PNG)
    (row,) = Attachment.objects.all()
    assert queries.used_bytes(conversation.pk) == 0
    assert queries.list_attachments(team.member, conversation.pk) == []
    with pytest.raises(NotFound):
        queries.get_attachment(team.member, conversation.pk, row.pk)


def test_they_outlive_what_was_never_sent_and_go_after_a_week(
    conversation: Conversation, django_capture_on_commit_callbacks: Any
) -> None:
    keep(conversation, PNG, call="run1.0.0")
    keep(conversation, PNG, call="run1.0.1")
    ages = {"picture/run1.0.0/1": timedelta(days=6), "picture/run1.0.1/1": timedelta(days=8)}
    for key, age in ages.items():
        Attachment.objects.filter(key=key).update(created_at=timezone.now() - age)
    with django_capture_on_commit_callbacks(execute=True):
        assert upkeep.sweep() == 1
    assert list(pictures.pictures_of(conversation.organization_id, 1)) == ["run1.0.0"]


def test_it_is_shown_in_place_as_nothing_but_a_picture(conversation: Conversation) -> None:
    keep(conversation, PNG)
    (row,) = Attachment.objects.all()
    answer = pictures.as_picture(conversation.organization_id, 1, row.pk)
    assert (answer.content, answer["Content-Type"]) == (PNG, "image/png")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    for organization, run in ((conversation.organization_id, 2), (conversation.organization_id + 1, 1)):
        with pytest.raises(NotFound):
            pictures.as_picture(organization, run, row.pk)
