"""Who hears of a file, and what: figures for those who may see it, never a name or a text."""

from __future__ import annotations

from memory.ingestion import news
from memory.ingestion.removal import remove_file
from realtime.models import Event
from tests.memory.ingestion.conftest import Desk


def told(desk: Desk) -> list[tuple[str, int, int]]:
    events = Event.objects.filter(organization=desk.team.organization, kind=news.CHANGED).order_by("number")
    figures = [event.payload["file"] for event in events]
    return [(each["state"], each["chunks_done"], each["memories"]) for each in figures]


def test_each_step_of_a_file_is_told(desk: Desk) -> None:
    desk.use_model()
    file = desk.upload("secret-plan.txt", "The office is in Ulm.").file
    desk.settle()
    remove_file(desk.team.moderator, file.pk)
    steps = [("queued", 0, 0), ("reading", 0, 0), ("extracting", 0, 0), ("extracting", 1, 1), ("done", 1, 1)]
    assert told(desk) == [*steps, ("removed", 1, 1)]
    for event in Event.objects.filter(kind=news.CHANGED):
        assert (event.user_id, event.conversation_id) == (None, None)
        assert "secret-plan" not in str(event.payload)
        assert "Ulm" not in str(event.payload)


def test_a_file_kept_to_one_person_reaches_that_person_alone(desk: Desk) -> None:
    desk.use_model()
    desk.upload("a.txt", "x", audience="person")
    desk.settle()
    reached = set(Event.objects.filter(kind=news.CHANGED).values_list("user_id", flat=True))
    assert reached == {desk.team.moderator.user.pk}


def test_waiting_for_a_model_is_told_once_however_long_it_lasts(desk: Desk) -> None:
    desk.upload("a.txt", "x")
    desk.settle(rounds=5)
    before = told(desk)
    desk.settle(rounds=5)
    assert told(desk) == before
    assert len(before) == 4  # queued, reading, extracting, waiting
