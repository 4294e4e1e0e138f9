from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.errors import InvalidInput
from accounts.models import Identity, Person
from messaging.adapters.base import InboundMessage
from messaging.models import Binding, Conversation, Delivery, Handling, Message, Participant, PlatformAccount
from messaging.services.inbound import store_inbound

Arrive = Callable[..., InboundMessage]


@pytest.fixture
def account(team: Any) -> PlatformAccount:
    return PlatformAccount.objects.create(organization=team.organization, platform="telegram")


@pytest.fixture
def bind(team: Any, account: PlatformAccount) -> Callable[..., Binding]:
    def make(**fields: Any) -> Binding:
        values: dict[str, Any] = {"conversation_ids": ["*"], "sender_ids": ["*"], "agent_id": team.agent.pk}
        return Binding.objects.create(organization=team.organization, account=account, **{**values, **fields})

    return make


@pytest.fixture
def arriving(account: PlatformAccount) -> Arrive:
    def make(**fields: Any) -> InboundMessage:
        values: dict[str, Any] = {
            "account_id": account.pk,
            "conversation_id": "room",
            "is_direct": False,
            "external_id": "m1",
            "sender_id": "u1",
            "sender_name": "Uma",
            "text": "hello",
        }
        return InboundMessage(**{**values, **fields})

    return make


def test_a_bound_message_makes_its_conversation_its_person_and_itself(
    team: Any, bind: Any, arriving: Arrive
) -> None:
    bind()
    conversation, message, created = store_inbound(arriving(conversation_title="General"))
    assert conversation
    assert message
    assert created
    assert (conversation.external_id, conversation.kind, conversation.agent_id) == (
        "room",
        "group",
        team.agent.pk,
    )
    assert conversation.title == "General"
    assert (message.handling, message.author_name, message.seq) == (Handling.UNANSWERED, "Uma", 1)
    identity = Identity.objects.get(external_id="u1")
    assert message.person_id == identity.person_id
    assert Participant.objects.filter(conversation=conversation, person=identity.person).exists()


def test_the_same_message_twice_changes_nothing(bind: Any, arriving: Arrive) -> None:
    bind()
    first = store_inbound(arriving())
    again = store_inbound(arriving())
    assert not again.created
    assert again.message == first.message
    assert (Message.objects.count(), Identity.objects.count(), Participant.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    "rule",
    [
        None,
        {"conversation_ids": []},
        {"sender_ids": []},
        {"conversation_ids": ["other"]},
        {"sender_ids": ["u2"]},
        {"require_mention": True},
    ],
)
def test_without_a_rule_that_matches_nobody_hears_and_no_row_is_made(
    bind: Any, arriving: Arrive, rule: dict[str, Any] | None, team: Any
) -> None:
    people = Person.objects.count()
    if rule is not None:
        bind(**rule)
    assert store_inbound(arriving()) == (None, None, False)
    assert not Conversation.objects.exists()
    assert Person.objects.count() == people


def test_in_a_known_conversation_an_unheard_message_is_kept_with_its_reason(
    bind: Any, arriving: Arrive
) -> None:
    rule = bind()
    store_inbound(arriving())
    rule.require_mention = True
    rule.save()
    message = store_inbound(arriving(external_id="m2")).message
    assert message is not None
    assert (message.handling, message.handling_reason) == (Handling.IGNORED, "the agent was not mentioned")
    heard = store_inbound(arriving(external_id="m3", mentions_agent=True)).message
    assert heard is not None
    assert heard.handling == Handling.UNANSWERED


def test_a_stranger_in_a_known_conversation_does_not_join_it(bind: Any, arriving: Arrive) -> None:
    bind(sender_ids=["u1"])
    store_inbound(arriving())
    message = store_inbound(arriving(external_id="m2", sender_id="u9")).message
    assert message is not None
    assert (message.handling, message.person) == (Handling.IGNORED, None)
    assert Participant.objects.count() == 1


def test_a_direct_message_needs_no_mention(bind: Any, arriving: Arrive) -> None:
    bind(require_mention=True)
    conversation, _, created = store_inbound(arriving(is_direct=True))
    assert created
    assert conversation is not None
    assert conversation.kind == "dm"


def test_the_first_rule_that_names_both_decides(team: Any, bind: Any, arriving: Arrive) -> None:
    from agents.models import Agent

    other = Agent.objects.create(organization=team.organization, slug="other", name="Other")
    bind(position=2, require_mention=False)
    bind(position=1, agent_id=other.pk, conversation_ids=["room"])
    conversation = store_inbound(arriving()).conversation
    assert conversation is not None
    assert conversation.agent_id == other.pk


def test_a_changed_rule_hands_the_conversation_over(team: Any, bind: Any, arriving: Arrive) -> None:
    from agents.models import Agent

    rule = bind()
    store_inbound(arriving())
    other = Agent.objects.create(organization=team.organization, slug="other", name="Other")
    Binding.objects.filter(pk=rule.pk).update(agent_id=other.pk)
    conversation = store_inbound(arriving(external_id="m2")).conversation
    assert conversation is not None
    assert Conversation.objects.get(pk=conversation.pk).agent_id == other.pk


def test_an_account_that_is_off_hears_nothing(bind: Any, arriving: Arrive, account: PlatformAccount) -> None:
    bind()
    PlatformAccount.objects.filter(pk=account.pk).update(enabled=False)
    assert store_inbound(arriving()).message is None


def test_rules_of_another_organization_do_not_open_a_door(
    team: Any, rivals: Any, account: PlatformAccount, arriving: Arrive
) -> None:
    Binding.objects.create(
        organization=rivals.organization,
        account=account,
        agent_id=rivals.agent.pk,
        conversation_ids=["*"],
        sender_ids=["*"],
    )
    assert store_inbound(arriving()).conversation is None


def test_the_same_platform_user_is_another_person_in_another_organization(
    team: Any, rivals: Any, bind: Any, arriving: Arrive
) -> None:
    bind()
    theirs = PlatformAccount.objects.create(organization=rivals.organization, platform="telegram")
    Binding.objects.create(
        organization=rivals.organization,
        account=theirs,
        agent_id=rivals.agent.pk,
        conversation_ids=["*"],
        sender_ids=["*"],
    )
    first, second = store_inbound(arriving()), store_inbound(arriving(account_id=theirs.pk))
    assert first.message
    assert second.message
    assert second.created
    assert first.message.person_id != second.message.person_id
    assert second.message.organization_id == rivals.organization.pk


def test_a_reply_finds_what_it_answers_by_either_platform_id(bind: Any, arriving: Arrive) -> None:
    bind()
    conversation, asked, _ = store_inbound(arriving())
    assert conversation
    assert asked
    answer = Message.objects.create(
        organization_id=conversation.organization_id,
        conversation=conversation,
        seq=99,
        direction="out",
        author_name="Bot",
        text="hi",
        handling=Handling.NOT_NEEDED,
    )
    Delivery.objects.create(
        organization_id=conversation.organization_id, message=answer, text="hi", key="k", platform_id="p5"
    )
    to_person = store_inbound(arriving(external_id="m2", reply_to_external_id="m1")).message
    to_agent = store_inbound(arriving(external_id="m3", reply_to_external_id="p5")).message
    assert to_person
    assert to_agent
    assert (to_person.reply_to_id, to_agent.reply_to_id) == (asked.pk, answer.pk)


def test_text_that_cannot_be_stored_is_refused_whole(bind: Any, arriving: Arrive) -> None:
    bind()
    with pytest.raises(InvalidInput):
        store_inbound(arriving(text="\x00"))
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_burst_in_a_new_conversation_makes_one_conversation_and_one_person(
    team: Any, bind: Any, arriving: Arrive
) -> None:
    bind()
    failures: list[BaseException] = []
    people = Person.objects.count()

    def arrive(number: int) -> None:
        try:
            store_inbound(arriving(external_id=f"m{number % 4}"))
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=arrive, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 4)
    assert Person.objects.count() == people + 1
