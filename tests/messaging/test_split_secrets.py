"""A secret that an agent says in pieces, over messages one after the other, leaves in none of them whole."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from messaging.models import Conversation, Delivery, Message
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_inbound, append_outbound
from realtime.models import Event
from secret_store import shields
from secret_store.services import set_secret

VALUE = "v4lue-of-the-Deploy-key-2b7f"
TOKEN = "ghp_a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8"
_keys = count()


@pytest.fixture(autouse=True)
def known(team: Any, conversation: Conversation) -> None:
    shields.forget()
    set_secret(None, team.organization, name="DEPLOY_KEY", value=VALUE)


def reply(conversation: Conversation, text: str, author_name: str = "Spacebot") -> Message:
    return append_outbound(
        conversation.pk, run_id=None, author_name=author_name, text=text, key=f"split-{next(_keys)}"
    )


def said(conversation: Conversation) -> str:
    rows = Message.objects.filter(conversation=conversation, direction="out").order_by("seq")
    return "".join(rows.values_list("text", flat=True))


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    secret=st.sampled_from([VALUE, TOKEN]),
    cuts=st.lists(st.integers(1, 39), min_size=1, max_size=3),
    before=st.sampled_from(["", "It is ", "Here:\n"]),
    after=st.sampled_from(["", " as you asked.", "\nDone."]),
)
@example(secret=VALUE, cuts=[9, 18], before="", after="")
def test_no_secret_leaves_whole_wherever_it_is_split(
    conversation: Conversation, secret: str, cuts: list[int], before: str, after: str
) -> None:
    edges = sorted({0, len(secret), *(min(cut, len(secret)) for cut in cuts)})
    pieces = [secret[low:high] for low, high in pairwise(edges)]
    pieces[0], pieces[-1] = before + pieces[0], pieces[-1] + after
    with transaction.atomic():
        for piece in pieces:
            reply(conversation, piece)
        assert secret not in said(conversation)
        transaction.set_rollback(True)


def test_what_completes_it_is_taken_out_of_row_event_and_delivery_and_counted(fake_room: Any) -> None:
    _, conversation = fake_room
    set_secret(None, conversation.organization, name="DEPLOY_KEY", value=VALUE)
    shields.forget()
    reply(conversation, f"It begins {VALUE[:10]}")
    message = reply(conversation, f"{VALUE[10:]} and that is all.")
    message.refresh_from_db()
    assert message.text == "[secret DEPLOY_KEY] and that is all."
    assert message.metadata["redactions"] == {"DEPLOY_KEY": 1}
    event = Event.objects.filter(kind="message.created").latest("number")
    assert event.payload["message"]["text"] == message.text
    delivery = Delivery.objects.get(message=message)
    assert VALUE[10:] not in delivery.text


def test_a_message_that_ends_in_half_of_it_or_more_loses_that_half(conversation: Conversation) -> None:
    assert reply(conversation, f"It begins {VALUE[:20]}").text == "It begins [secret DEPLOY_KEY]"


def test_what_others_say_in_between_does_not_help(conversation: Conversation) -> None:
    reply(conversation, VALUE[:10])
    append_inbound(conversation.pk, person=None, author_name="Mia", text="Go on.")
    reply(conversation, "Something waits for an approval.", author_name="Approvals")
    reply(conversation, VALUE[10:])
    assert VALUE not in said(conversation).replace("Something waits for an approval.", "")


def test_messages_of_another_conversation_or_author_change_nothing(
    team: Any, conversation: Conversation
) -> None:
    other = start_conversation(team.member, agent_id=team.agent.pk, kind="dm")
    reply(other, VALUE[:10])
    reply(conversation, VALUE[:10], author_name="Approvals")
    assert reply(conversation, VALUE[10:]).text == VALUE[10:]


def test_looking_back_costs_no_statement(conversation: Conversation, caches_kept: None) -> None:
    def statements(text: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            reply(conversation, text)
        return len(captured)

    statements("warm up")
    assert statements("It begins") == statements("and goes on")
    assert reply(conversation, "v4lue-of-").text == "v4lue-of-"
