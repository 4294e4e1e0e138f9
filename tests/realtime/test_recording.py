from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from realtime import bus
from realtime.frames import Frame, decode, dump_json
from realtime.models import Event, EventCounter
from realtime.services import NewEvent, prune, publish_transient, record, unit_of_work


def numbers(organization_id: int) -> list[tuple[int, str]]:
    return list(
        Event.objects.filter(organization_id=organization_id).order_by("number").values_list("number", "kind")
    )


def record_and_fail(organization_id: int) -> None:
    with unit_of_work():
        record(organization_id, NewEvent("lost", {}))
        raise ValueError


def test_events_of_a_unit_are_numbered_in_order_in_one_statement(team: Any) -> None:
    with (
        CaptureQueriesContext(
            connection,
        ) as queries,
        unit_of_work(),
    ):
        record(team.organization.pk, NewEvent("one", {"a": 1}), NewEvent("two", {}, conversation_id=7))
        with unit_of_work():
            record(team.organization.pk, NewEvent("three", {}, user_id=3, minimum_level=3))
    assert numbers(team.organization.pk) == [(1, "one"), (2, "two"), (3, "three")]
    assert sum("realtime_event" in query["sql"] for query in queries) == 1
    row = Event.objects.get(number=3)
    assert (row.user_id, row.minimum_level, row.conversation_id) == (3, 3, None)


def test_numbers_go_on_and_organizations_count_apart(team: Any, rivals: Any) -> None:
    record(team.organization.pk, NewEvent("one", {}))
    with unit_of_work():
        record(rivals.organization.pk, NewEvent("theirs", {}))
        record(team.organization.pk, NewEvent("two", {}))
        record(rivals.organization.pk, NewEvent("theirs too", {}))
    assert numbers(team.organization.pk) == [(1, "one"), (2, "two")]
    assert numbers(rivals.organization.pk) == [(1, "theirs"), (2, "theirs too")]


def test_a_failed_inner_unit_takes_only_its_own_events_along(team: Any) -> None:
    with unit_of_work():
        record(team.organization.pk, NewEvent("kept", {}))
        with pytest.raises(ValueError):
            record_and_fail(team.organization.pk)
    assert numbers(team.organization.pk) == [(1, "kept")]


def test_a_failed_unit_records_nothing_and_leaves_no_gap(team: Any) -> None:
    with pytest.raises(ValueError):
        record_and_fail(team.organization.pk)
    record(team.organization.pk, NewEvent("first", {}))
    assert numbers(team.organization.pk) == [(1, "first")]


def test_text_that_postgresql_refuses_does_not_fail_the_caller(team: Any) -> None:
    record(team.organization.pk, NewEvent("odd", {"text": "a\x00b\ud800c \\u0000 😀"}))
    assert Event.objects.get().payload == {"text": "ab?c \\u0000 😀"}


def test_a_frame_survives_the_bus() -> None:
    frame = Frame(5, "run.changed", 7, None, 2, dump_json({"text": "two\nlines"}))
    assert decode(frame.encode()) == frame


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_leave_neither_gaps_nor_doubles() -> None:
    from tests.factories import make_team

    organization_id = make_team("busy").organization.pk

    def write(name: int) -> None:
        try:
            for turn in range(20):
                with unit_of_work():
                    record(
                        organization_id, NewEvent(f"{name}", {"n": turn}), NewEvent(f"{name}", {"n": turn})
                    )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [number for number, _ in numbers(organization_id)] == list(range(1, 241))
    assert EventCounter.objects.get(organization_id=organization_id).last_number == 240


@pytest.mark.django_db(transaction=True)
def test_publishing_happens_after_the_commit_and_in_order() -> None:
    import redis
    from django.conf import settings

    from tests.factories import make_team

    organization_id = make_team("loud").organization.pk
    with (
        redis.Redis.from_url(settings.REDIS_URL) as client,
        client.pubsub() as ear,
    ):
        ear.subscribe(bus.channel_name(organization_id))
        assert ear.get_message(timeout=20)["type"] == "subscribe"
        with transaction.atomic():
            record(organization_id, NewEvent("stored", {"n": 1}))
            assert ear.get_message(timeout=0.05) is None
        publish_transient(organization_id, NewEvent("typing", {"on": True}, conversation_id=9))
        heard = [decode(ear.get_message(timeout=20)["data"]) for _ in range(2)]
    assert [(frame.number, frame.kind) for frame in heard] == [(1, "stored"), (None, "typing")]


def test_publishing_costs_the_caller_next_to_nothing_even_without_valkey(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    lost = bus.Publisher()
    started = time.thread_time()
    for _ in range(1000):
        lost.put("nowhere", b"x")
    assert time.thread_time() - started < 0.3


def test_old_events_are_pruned_and_new_ones_stay(team: Any) -> None:
    from datetime import timedelta

    from django.utils import timezone

    record(team.organization.pk, NewEvent("old", {}), NewEvent("new", {}))
    Event.objects.filter(kind="old").update(created_at=timezone.now() - timedelta(days=9))
    assert prune(older_than_days=7) == 1
    assert prune(older_than_days=7) == 0
    assert numbers(team.organization.pk) == [(2, "new")]
