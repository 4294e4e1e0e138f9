"""The outbox against a platform that fails in every way it can, and a process that dies at every boundary."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from messaging.adapters.fake import FakeAdapter, FakePlatform
from messaging.adapters.registry import ADAPTERS
from messaging.errors import DeliveryError
from messaging.models import Conversation, Delivery, DeliveryState, PlatformAccount
from messaging.services import outbox
from messaging.services.messages import append_inbound, append_outbound
from realtime.models import Event

LONG = "first part " * 9 + "\n\n" + "second part " * 8 + "\n\n" + "third part"


class Killed(BaseException):
    """The process dies here."""


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Stand in for the broker, which may lose any nudge."""
    from messaging import jobs

    asked: list[tuple[int, float]] = []
    monkeypatch.setattr(
        jobs.deliver, "apply_async", lambda args, countdown, retry: asked.append((args[0], countdown))
    )
    return asked


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, nudges: Any) -> FakePlatform:
    monkeypatch.setitem(ADAPTERS, "fake", FakeAdapter)
    return FakePlatform("far")


@pytest.fixture
def room(team: Any, platform: FakePlatform) -> Conversation:
    account = PlatformAccount.objects.create(
        organization=team.organization, platform="fake", settings={"server": "far"}
    )
    return Conversation.objects.create(
        organization=team.organization,
        account=account,
        agent_id=team.agent.pk,
        external_id="room",
        kind="group",
    )


@pytest.fixture
def say(room: Conversation) -> Callable[..., list[Delivery]]:
    def speak(text: str = "hello", *, key: str = "k1", **more: Any) -> list[Delivery]:
        message = append_outbound(room.pk, run_id=1, author_name="Bot", text=text, key=key, **more)
        return list(Delivery.objects.filter(message=message).order_by("chunk"))

    return speak


def make_due(delivery: Delivery) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(pk=delivery.pk, leased_until__isnull=False).update(leased_until=past)
    Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=past)


def states() -> list[str]:
    return list(Delivery.objects.order_by("message__seq", "chunk").values_list("state", flat=True))


def test_a_reply_is_queued_in_chunks_and_nudged_after_the_commit(
    say: Any, nudges: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        deliveries = say(LONG)
    assert [d.chunk for d in deliveries] == [0, 1, 2]
    assert all(len(d.text) <= 100 for d in deliveries)
    assert nudges == [(deliveries[0].pk, 0)]


def test_one_nudge_sends_all_chunks_in_order(say: Any, platform: FakePlatform) -> None:
    deliveries = say(LONG)
    outbox.deliver(deliveries[0].pk)
    assert platform.texts == [d.text for d in deliveries]
    assert states() == ["delivered"] * 3
    assert [d.platform_id for d in Delivery.objects.order_by("chunk")] == ["p1", "p2", "p3"]


def test_a_chunk_waits_for_those_before_it(say: Any, platform: FakePlatform) -> None:
    (first,) = say("one")
    (second,) = say("two", key="k2")
    outbox.deliver(second.pk)
    assert platform.texts == []
    outbox.deliver(first.pk)
    assert platform.texts == ["one", "two"]


def test_a_second_nudge_sends_nothing_twice(say: Any, platform: FakePlatform) -> None:
    (delivery,) = say()
    outbox.deliver(delivery.pk)
    outbox.deliver(delivery.pk)
    assert len(platform.sent) == 1


def test_the_answer_is_marked_as_one_on_its_first_chunk_only(
    say: Any, room: Conversation, platform: FakePlatform
) -> None:
    asked, _ = append_inbound(room.pk, person=None, author_name="Mia", text="why?", external_id="m7")
    deliveries = say(LONG, reply_to_id=asked.pk)
    outbox.deliver(deliveries[0].pk)
    assert [sent.target.reply_to_external_id for sent in platform.sent] == ["m7", None, None]


def test_a_passing_failure_is_tried_again_later(
    say: Any, platform: FakePlatform, nudges: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FIRST_RETRY_S", 20.0)
    platform.send_faults = [DeliveryError("busy")]
    (delivery,) = say()
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.error, delivery.attempts) == (DeliveryState.PENDING, "busy", 1)
    assert delivery.next_attempt_at is not None
    assert delivery.next_attempt_at > timezone.now()
    assert nudges[-1][1] == pytest.approx(20, rel=0.3)
    outbox.deliver(delivery.pk)
    assert platform.sent == []
    make_due(delivery)
    outbox.deliver(delivery.pk)
    assert states() == ["delivered"]


def test_the_platforms_wish_when_to_come_back_is_honoured(say: Any, platform: FakePlatform) -> None:
    platform.send_faults = [DeliveryError("slow down", retry_after_s=40)]
    (delivery,) = say()
    before = timezone.now()
    outbox.deliver(delivery.pk)
    after = timezone.now()
    delivery.refresh_from_db()
    assert delivery.next_attempt_at is not None
    assert before + timedelta(seconds=40) <= delivery.next_attempt_at <= after + timedelta(seconds=41)


def test_a_permanent_failure_ends_the_whole_message_with_a_reason_and_one_event(
    say: Any, platform: FakePlatform
) -> None:
    platform.send_faults = [DeliveryError("You were blocked.", permanent=True)]
    broken = say(LONG)
    say("next", key="k2")
    outbox.deliver(broken[0].pk)
    assert states() == ["failed", "failed", "failed", "delivered"]
    event = Event.objects.get(kind="delivery.failed")
    assert event.payload == {"message_id": broken[0].message_id, "reason": "You were blocked."}
    assert Delivery.objects.get(pk=broken[2].pk).error == "An earlier part failed: You were blocked."


def test_it_gives_up_after_many_tries(say: Any, platform: FakePlatform) -> None:
    (delivery,) = say()
    platform.send_faults = [DeliveryError("busy") for _ in range(20)]
    for _ in range(15):
        make_due(delivery)
        outbox.deliver(delivery.pk)
    assert states() == ["failed"]
    assert len(platform.send_faults) == 20 - outbox.MAX_ATTEMPTS


def test_a_defect_of_an_adapter_is_not_shown_but_tried_again(say: Any, platform: FakePlatform) -> None:
    platform.send_faults = [ZeroDivisionError("token=secret")]
    (delivery,) = say()
    outbox.deliver(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.state == DeliveryState.PENDING
    assert "secret" not in delivery.error


def test_an_account_that_is_off_or_whose_secret_is_gone_fails_for_good(say: Any, room: Conversation) -> None:
    (first,) = say()
    PlatformAccount.objects.filter(pk=room.account_id).update(
        settings={"server": "far", "token_secret": "GONE"}
    )
    outbox.deliver(first.pk)
    (second,) = say("two", key="k2")
    PlatformAccount.objects.filter(pk=room.account_id).update(enabled=False)
    outbox.deliver(second.pk)
    assert list(Delivery.objects.order_by("pk").values_list("state", "error")) == [
        ("failed", "There is no secret GONE."),
        ("failed", "The platform account is switched off."),
    ]


@pytest.mark.parametrize("after_sending", [False, True])
def test_a_process_that_dies_around_sending_leaves_one_message_on_the_platform(
    say: Any, platform: FakePlatform, after_sending: bool
) -> None:
    (platform.faults_after_sending if after_sending else platform.send_faults).append(Killed())  # type: ignore[arg-type]
    (delivery,) = say()
    with pytest.raises(Killed):
        outbox.deliver(delivery.pk)
    assert states() == ["sending"]
    outbox.deliver(delivery.pk)
    assert states() == ["sending"]
    make_due(delivery)
    outbox.deliver(delivery.pk)
    assert states() == ["delivered"]
    assert platform.texts == ["hello"]


def test_a_worker_that_dies_before_every_send_does_not_try_for_ever(say: Any, platform: FakePlatform) -> None:
    (delivery,) = say()
    platform.send_faults = [Killed() for _ in range(outbox.MAX_ATTEMPTS)]  # type: ignore[misc]
    for _ in range(outbox.MAX_ATTEMPTS):
        make_due(delivery)
        with pytest.raises(Killed):
            outbox.deliver(delivery.pk)
    make_due(delivery)
    outbox.deliver(delivery.pk)
    assert states() == ["failed"]


def test_a_slow_worker_that_lost_its_lease_cannot_change_a_result(say: Any, platform: FakePlatform) -> None:
    (delivery,) = say()
    slow = outbox._claim(delivery.pk)
    assert slow is not None
    make_due(delivery)
    outbox.deliver(delivery.pk)
    outbox._record_failed(slow, "late")
    outbox._schedule_retry(slow, DeliveryError("late"))
    outbox._record_delivered(delivery, "other")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.platform_id) == (DeliveryState.DELIVERED, "p1")
    assert not Event.objects.filter(kind="delivery.failed").exists()


def test_the_sweeper_nudges_what_is_due_or_abandoned_and_nothing_else(say: Any, nudges: Any) -> None:
    (waiting,) = say()
    assert outbox.sweep() == 1
    outbox._claim(waiting.pk)
    assert outbox.sweep() == 0
    make_due(waiting)
    assert outbox.sweep() == 1
    outbox.deliver(waiting.pk)
    assert outbox.sweep() == 0
    assert [asked[0] for asked in nudges] == [waiting.pk] * 2


def test_a_crowd_that_waits_does_not_hide_what_is_due(
    say: Any, room: Conversation, nudges: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SWEEP_LIMIT", 1)
    (waiting,) = say()
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(minutes=5))
    other = Conversation.objects.create(
        organization_id=room.organization_id,
        account_id=room.account_id,
        agent_id=room.agent_id,
        external_id="other",
        kind="group",
    )
    append_outbound(other.pk, run_id=1, author_name="Bot", text="due", key="k9")
    assert outbox.sweep() == 1
    assert nudges[-1][0] != waiting.pk


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_one_conversation_send_each_chunk_once_and_in_order(
    say: Any, platform: FakePlatform
) -> None:
    deliveries = [say(f"message {n}", key=f"k{n}")[0] for n in range(12)]
    failures: list[BaseException] = []

    def work(pks: list[int]) -> None:
        try:
            for pk in pks:
                outbox.deliver(pk)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    pks = [delivery.pk for delivery in deliveries]
    threads = [
        threading.Thread(target=work, args=(order,)) for order in (pks, pks[::-1], pks[6:] + pks[:6], pks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert platform.texts == [f"message {n}" for n in range(12)]
    assert states() == ["delivered"] * 12
    assert {d.attempts for d in Delivery.objects.all()} == {1}


@pytest.fixture(autouse=True)
def _forget_platforms() -> Iterator[None]:
    from messaging.adapters import fake

    yield
    fake._PLATFORMS.clear()
