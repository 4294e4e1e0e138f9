from __future__ import annotations

import io
import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import Conflict, InvalidInput, NotFound
from messaging.adapters.base import InboundMessage
from messaging.adapters.fake import FakeAdapter
from messaging.attachments import erasure, limits, queries, services, store, upkeep
from messaging.errors import DeliveryError, Unsupported
from messaging.media import clean_name, media_type_of
from messaging.models import Attachment, Binding, Conversation, Delivery, Message
from messaging.services import outbox
from messaging.services.inbound import store_inbound
from tests.factories import make_team

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.SPACEBOT_HOME = tmp_path


def upload(
    team: Any, conversation: Conversation, content: bytes = b"hello", name: str = "a.txt"
) -> Attachment:
    return services.upload(team.member, conversation.pk, name=name, stream=io.BytesIO(content))


def send(conversation: Conversation, content: bytes = b"hello", **more: Any) -> Message:
    given = {"name": "a.txt", "text": "", "key": "run1.0.0", "run_id": 1, "author_name": "Bot", **more}
    return services.send_file(conversation, stream=io.BytesIO(content), **given)


def content_of(attachment: Attachment) -> bytes:
    with store.open_attachment(attachment) as file:
        return file.read()


def stored() -> list[Any]:
    return [path for path in store.folder().rglob("*") if path.is_file()]


def test_what_is_uploaded_is_kept_whole_with_its_type_by_content(
    team: Any, conversation: Conversation
) -> None:
    found = upload(team, conversation, PNG, name="../../etc/evil.html")
    assert (found.name, found.media_type, found.size_bytes) == ("evil.html", "image/png", len(PNG))
    assert content_of(found) == PNG
    assert found.message is None
    page = upload(team, conversation, b"<script>alert(1)</script>", name="x.html")
    assert page.media_type == "text/plain"


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b\\c.txt", "c.txt"),
        (".bashrc", "bashrc"),
        ("", "file"),
        ("..", "file"),
        ("x\u202egpj.exe\n", "xgpj.exe"),
        ('a:b*"c".txt', "a_b__c_.txt"),
        ("x" * 300 + ".tar.gz", "x" * 117 + ".gz"),
    ],
)
def test_names_are_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_types_are_those_of_the_content() -> None:
    for head, kind in {
        b"%PDF-1.7": "application/pdf",
        b"RIFF\0\0\0\0WEBP": "image/webp",
        "grün".encode(): "text/plain",
        b"\xff\xfe\0a": "application/octet-stream",
        b"<svg onload=alert(1)>": "text/plain",
    }.items():
        assert media_type_of(head) == kind
    assert media_type_of("ü".encode() * 2_047 + b"x\xc3") == "text/plain"


def test_what_is_too_large_or_empty_leaves_nothing_behind(
    team: Any, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_BYTES", 10)
    for content in (b"x" * 11, b""):
        with pytest.raises(InvalidInput):
            upload(team, conversation, content)
    upload(team, conversation, b"x" * 10)
    assert len(stored()) == Attachment.objects.count() == 1


def test_a_conversation_holds_no_more_files_than_its_setting_says(
    team: Any, conversation: Conversation, settings: Any
) -> None:
    settings.SPACEBOT_CONVERSATION_FILES_MB = 1
    upload(team, conversation, b"x" * 600_000)
    for act in (
        lambda: upload(team, conversation, b"x" * 500_000),
        lambda: send(conversation, b"x" * 500_000),
    ):
        with pytest.raises(Conflict, match="1 MB"):
            act()
    assert len(stored()) == 1
    settings.SPACEBOT_CONVERSATION_FILES_MB = 2
    upload(team, conversation, b"x" * 500_000)


def test_nobody_uploads_more_than_they_send(
    team: Any, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST_UNSENT", 2)
    first, _ = upload(team, conversation), upload(team, conversation)
    with pytest.raises(Conflict):
        upload(team, conversation)
    services.remove_unsent(team.member, conversation.pk, first.pk)
    upload(team, conversation)


def test_only_who_takes_part_sees_a_file_and_only_its_owner_before_it_is_sent(
    team: Any, conversation: Conversation
) -> None:
    message = send(conversation)
    sent = message.attachments.get()
    unsent = upload(team, conversation)
    assert queries.get_attachment(team.member, conversation.pk, sent.pk) == sent
    assert queries.get_attachment(team.member, conversation.pk, unsent.pk) == unsent
    assert queries.list_attachments(team.member, conversation.pk) == [sent]
    for actor in (team.owner, make_team("third").owner):
        for act in (
            lambda actor=actor: queries.get_attachment(actor, conversation.pk, sent.pk),
            lambda actor=actor: queries.list_attachments(actor, conversation.pk),
            lambda actor=actor: services.upload(actor, conversation.pk, name="x", stream=io.BytesIO(b"x")),
            lambda actor=actor: services.remove_unsent(actor, conversation.pk, unsent.pk),
        ):
            with pytest.raises(NotFound):
                act()
    with pytest.raises(Conflict):
        services.remove_unsent(team.member, conversation.pk, sent.pk)


def test_a_sent_file_is_a_message_with_a_delivery_of_its_own_once(conversation: Conversation) -> None:
    message = send(conversation, PNG, text="the chart")
    assert send(conversation, PNG, text="again") == message
    attachment = Attachment.objects.get()
    assert message.text == "the chart"
    assert message.metadata["attachments"] == [services.attachment_payload(attachment)]
    assert list(Delivery.objects.order_by("chunk").values_list("attachment", "state")) == [
        (None, "delivered"),
        (attachment.pk, "delivered"),
    ]
    assert len(stored()) == 1


def test_a_platform_gets_words_and_file_in_order_each_with_its_key(
    fake_room: tuple[Any, Conversation],
) -> None:
    far_side, room = fake_room
    send(room, PNG, name="chart.png", text="the chart")
    outbox.deliver(Delivery.objects.earliest("pk").pk)
    assert [(sent.text, sent.content) for sent in far_side.sent] == [("the chart", None), ("chart.png", PNG)]
    assert {row.platform_id for row in Delivery.objects.all()} == {sent.platform_id for sent in far_side.sent}


def test_a_file_that_was_not_taken_is_tried_again_from_its_beginning(
    fake_room: tuple[Any, Conversation],
) -> None:
    far_side, room = fake_room
    send(room, PNG)
    text, file = Delivery.objects.order_by("chunk")
    outbox.deliver(text.pk)
    far_side.sent.pop()
    Delivery.objects.filter(pk=file.pk).update(state="pending", next_attempt_at=timezone.now())
    far_side.send_faults.append(DeliveryError("busy"))
    outbox.deliver(file.pk)
    file.refresh_from_db()
    assert (file.state, file.attempts) == ("pending", 2)
    Delivery.objects.filter(pk=file.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    outbox.deliver(file.pk)
    assert far_side.sent[-1].content == PNG


def test_a_file_that_is_lost_fails_its_delivery_and_says_why(fake_room: tuple[Any, Conversation]) -> None:
    _, room = fake_room
    send(room, PNG)
    for path in stored():
        path.unlink()
    outbox.deliver(Delivery.objects.earliest("pk").pk)
    failed = Delivery.objects.get(state="failed")
    assert (failed.attachment_id, failed.error) == (
        Attachment.objects.get().pk,
        "The file is not stored any more.",
    )


def test_a_platform_that_takes_no_files_is_asked_for_none(
    fake_room: tuple[Any, Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeAdapter, "capabilities", replace(FakeAdapter.capabilities, files=False))
    with pytest.raises(Unsupported):
        send(fake_room[1])
    assert not stored()
    assert not Message.objects.exists()


def test_a_platform_cannot_name_files_of_ours_with_its_message(
    team: Any, fake_room: tuple[Any, Conversation]
) -> None:
    _, room = fake_room
    Binding.objects.create(
        organization=team.organization, account=room.account, agent_id=team.agent.pk,
        conversation_ids=["*"], sender_ids=["*"],
    )  # fmt: skip
    stored_as = store_inbound(
        InboundMessage(
            room.account_id,
            "1",
            True,
            "m1",
            "s",
            "Sam",
            "hi",
            metadata={"attachments": [{"id": 1}], "asks": 1, "x": 2},
        )
    )
    assert stored_as.message is not None
    assert stored_as.message.metadata == {"x": 2}


def test_what_was_never_sent_and_what_has_no_row_goes_after_a_day(
    team: Any, conversation: Conversation, django_capture_on_commit_callbacks: Any
) -> None:
    sent = send(conversation).attachments.get()
    old, new = upload(team, conversation), upload(team, conversation)
    orphan = store.path_of(team.organization.pk, conversation.pk, "0" * 32)
    orphan.write_bytes(b"x")
    long_ago = timezone.now() - timedelta(days=2)
    Attachment.objects.filter(pk__in=[old.pk, sent.pk]).update(created_at=long_ago)
    for path in (orphan, store.path_of(team.organization.pk, conversation.pk, sent.place)):
        os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
    with django_capture_on_commit_callbacks(execute=True):
        upkeep.sweep()
        upkeep.sweep()
    assert set(Attachment.objects.all()) == {sent, new}
    assert {path.name for path in stored()} == {sent.place, new.place}


def test_erasing_a_person_takes_their_files_and_leaves_the_agents(
    team: Any, conversation: Conversation, mia: Any, django_capture_on_commit_callbacks: Any
) -> None:
    upload(team, conversation)
    kept = send(conversation).attachments.get()
    assert erasure.count(team.organization.pk, mia.pk) == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert erasure.erase(team.organization.pk, mia.pk) == 1
    assert erasure.count(team.organization.pk, mia.pk) == 0
    assert [path.name for path in stored()] == [kept.place]


def test_a_message_takes_no_more_files_than_it_may(team: Any, conversation: Conversation, mia: Any) -> None:
    with pytest.raises(InvalidInput):
        services.claim(conversation, mia, list(range(1, limits.MOST_PER_MESSAGE + 2)), client_id=None)
