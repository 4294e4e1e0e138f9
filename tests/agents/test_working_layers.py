"""What a prompt tells of what goes on around it: to whom, how much, and how steadily."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Membership, Organization, Person
from agents.context import knowledge
from agents.context.working.event_log import render_event_log
from agents.context.working.layers import Line, cost, cut, fill
from agents.models import EventType, Synthesis, SynthesisKind, WorkingEvent
from agents.services.agents import update_agent
from llm.clients.scripted import call
from llm.services.tokens import estimate_tokens
from memory import types
from memory.services.saving import save_memory
from memory.types import HeardBy
from messaging.models import Conversation
from messaging.services.messages import append_inbound
from tests.agents.conftest import Engine
from tests.agents.working import happen, happened_at, person_of, room_of, told_in
from tests.factories import Team

WORD = "heliotrope"
MEMBERS = ("owner", "moderator", "member", "other_member")
PEOPLE = (*MEMBERS, "guest")
FEW = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    knowledge._empty.clear()


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Let it be noon of yesterday all the while, so that no day ends in the middle of a test."""
    moment = timezone.now().replace(hour=12) - timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def sum_up(
    team: Team, text: str, heard_by: HeardBy, day: Any, *, kind: str = SynthesisKind.DAILY
) -> Synthesis:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Synthesis.objects.create(
        organization=team.organization, agent=team.agent, audience=heard_by.audience,
        audience_conversation_id=heard_by.conversation_id, audience_person_id=heard_by.person_id, kind=kind, day=day,
        text=text, from_at=noon, to_at=noon, created_at=noon,
    )  # fmt: skip


# Who hears what


@pytest.fixture
def house(noon: datetime, team: Team, rivals: Team) -> Any:
    """One event and one summary for each audience there is, in a house with a guest."""
    people = {name: person_of(team, name) for name in MEMBERS}
    people["guest"] = Person.objects.create(organization=team.organization, display_name="Guest")
    rooms = {
        names: room_of(team, *(people[name] for name in names))
        for names in (
            ("owner",),
            ("owner", "member"),
            ("member", "other_member", "guest"),
            (*MEMBERS, "guest"),
        )
    }
    audiences = [types.ORGANIZATION]
    audiences += [types.conversation(room.pk) for room in rooms.values()]
    audiences += [types.person(person.pk) for person in people.values()]
    today = noon.date()
    for at, heard_by in enumerate(audiences):
        happen(team, f"{WORD}-event-{at}.", heard_by=heard_by, person_id=people[PEOPLE[at % 5]].pk)
        sum_up(team, f"{WORD}-summary-{at}.", heard_by, today - timedelta(days=1 + at % 3))
    happen(rivals, f"{WORD} of rivals", heard_by=types.ORGANIZATION)
    return people, rooms, [each.reach for each in audiences]


def may_all_hear(people: Any, rooms: Any, names: frozenset[str], reach: int) -> bool:
    """Say in plain Python who may hear what."""
    if reach == 0:
        return names <= set(MEMBERS)
    if reach < 0:
        return names == {name for name, person in people.items() if person.pk == -reach}
    return names <= set(next(who for who, room in rooms.items() if room.pk == reach))


@FEW
@given(present=st.frozensets(st.sampled_from(PEOPLE), min_size=1))
def test_a_prompt_tells_exactly_what_everyone_in_the_conversation_may_hear(
    team: Team, house: Any, present: frozenset[str]
) -> None:
    people, rooms, reaches = house
    here = room_of(team, *(people[name] for name in present))
    told = told_in(team, here)
    heard = {at for at, reach in enumerate(reaches) if may_all_hear(people, rooms, present, reach)}
    assert {at for at in range(len(reaches)) if f"{WORD}-event-{at}." in told.log.text} == heard
    assert {at for at in range(len(reaches)) if f"{WORD}-summary-{at}." in told.log.text} == heard
    assert {at for at in range(len(reaches)) if f"{WORD}-event-{at}." in told.people.text} <= heard
    assert "rivals" not in told.text
    here.delete()


def test_the_map_shows_only_where_everyone_here_takes_part(team: Team, rivals: Team) -> None:
    mia, otto, olga = (person_of(team, name) for name in ("member", "other_member", "owner"))
    here = room_of(team, mia, otto)
    rooms = {
        "Both": room_of(team, mia, otto, title="Both"),
        "All": room_of(team, mia, otto, olga, title="All"),
        "Mia alone": room_of(team, mia, title="Mia alone", kind="dm"),
        "Without memory": room_of(team, mia, otto, title="Without memory"),
        "Put away": room_of(team, mia, otto, title="Put away"),
        "Silent": room_of(team, mia, otto, title="Silent"),
        "Rivals": room_of(rivals, person_of(rivals, "member"), title="Rivals"),
    }
    for title, room in rooms.items():
        if title != "Silent":
            append_inbound(room.pk, person=None, author_name="Mia", text="hello")
    Conversation.objects.filter(title="Without memory").update(settings={"memory": "off"})
    Conversation.objects.filter(title="Put away").update(archived_at=timezone.now())
    told = told_in(team, here).rooms.text
    assert {title for title in rooms if title in told} == {"Both", "All"}
    assert "a few messages" in told
    assert "last from Mia" in told
    Conversation.objects.update(last_message_at=timezone.now() - timedelta(days=30))
    assert told_in(team, here).rooms.text == ""


def test_a_profile_is_told_where_everyone_may_hear_it(team: Team) -> None:
    mia, otto = person_of(team, "member"), person_of(team, "other_member")
    save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, type="human", about_id=mia.pk,
        content="Leads the harbour project\nLikes tea\nThird line", heard_by=types.person(mia.pk),
    )  # fmt: skip
    alone, together = room_of(team, mia, kind="dm"), room_of(team, mia, otto)
    told = told_in(team, alone).people.text
    assert "Mia of acme (member)" in told
    assert "Leads the harbour project Likes tea" in told
    assert "Third line" not in told
    assert told_in(team, together).people.text == ""


def test_memory_off_means_none_of_it(engine: Engine) -> None:
    happen(engine.team, "Something happened", heard_by=types.ORGANIZATION)
    engine.script("channel", lambda request: call("reply", content="ok"))
    engine.say("one")
    engine.settle()
    Conversation.objects.update(settings={"memory": "off"})
    engine.say("two")
    engine.settle()
    on, off = (str(request.system) for request in engine.models["channel"].requests)
    assert "Something happened" in on
    assert "Something happened" not in off
    assert "Mia of acme" in off


def test_branches_are_told_and_workers_are_not(engine: Engine) -> None:
    happen(engine.team, "Something happened", heard_by=types.ORGANIZATION)
    engine.script(
        "channel",
        [call("branch", task="think") + call("spawn_worker", task="work") + call("reply", content="ok")]
        + [call("reply", content="told")] * 3,
    )
    engine.script("branch", [call("conclude", status="done", conclusion="so")])
    engine.script("worker", [call("set_outcome", status="done", summary="so")])
    engine.say("go")
    engine.settle()
    assert "Something happened" in str(engine.models["branch"].requests[0].system)
    assert "Something happened" not in str(engine.models["worker"].requests[0])


# How much


text_lines = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=600)


@settings(max_examples=60)
@given(
    texts=st.lists(st.tuples(text_lines, st.integers(-1, 9), st.booleans()), max_size=40),
    zone=st.sampled_from(["UTC", "Asia/Kolkata"]),
)
def test_the_log_never_costs_more_than_its_budget(texts: list[tuple[str, int, bool]], zone: str) -> None:
    from zoneinfo import ZoneInfo

    today = datetime(2026, 5, 20, tzinfo=UTC).date()
    content: dict[str, Any] = {"syntheses": [], "events": []}
    for at, (text, ago, is_event) in enumerate(texts):
        moment = datetime(2026, 5, 20, 10, at % 60, tzinfo=UTC).isoformat()
        day = str(today - timedelta(days=ago))
        if is_event:
            row = {
                "id": at,
                "type": "system",
                "summary": text[:300],
                "importance": 0.5,
                "reach": 0,
                "day": day,
                "at": moment,
            }
            content["events"].append(row)
        else:
            row = {"kind": "daily", "day": day, "reach": 0, "text": text, "from_at": moment, "to_at": moment}
            content["syntheses"].append(row)
    layer = render_event_log(content, zone=ZoneInfo(zone), today=today, place=lambda reach: "")
    assert layer.tokens <= layer.budget


@settings(max_examples=100)
@given(
    texts=st.lists(text_lines.map(lambda text: " ".join(text.split())), max_size=12),
    tokens=st.integers(0, 300),
)
def test_lines_fill_a_budget_and_the_rest_says_why_not(texts: list[str], tokens: int) -> None:
    kept = fill([Line(text, "") for text in texts], tokens)
    assert len(kept) == len(texts)
    assert sum(cost(line.text) for line in kept if line.told) <= tokens
    assert all(line.why for line in kept if not line.told)
    assert all(cost(cut(text, 50)) <= 50 for text in texts)


def test_a_long_day_does_not_push_out_the_others(noon: datetime, team: Team) -> None:
    mia, today = person_of(team, "member"), noon.date()
    for ago, word in ((1, "alpha"), (2, "beta"), (3, "gamma"), (4, "delta")):
        sum_up(team, f"{word} " + "many words " * 400, types.ORGANIZATION, today - timedelta(days=ago))
    told = told_in(team, room_of(team, mia)).log
    for word in ("alpha", "beta", "gamma", "delta"):
        assert word in told.text
    assert told.tokens <= told.budget


def test_ten_events_are_shown_of_many_the_important_ones_and_repeats_once(team: Team) -> None:
    for number in range(14):
        happen(
            team, f"event {number:02}", heard_by=types.ORGANIZATION, importance=0.9 if number == 3 else 0.5
        )
    for number in range(3):
        happen(team, "The provider is down", key=f"down{number}", heard_by=types.ORGANIZATION, importance=0.7)
    told = told_in(team, room_of(team, person_of(team, "member"))).log
    assert "10 of 15 events" in told.text
    assert "event 03" in told.text
    assert "event 00" not in told.text
    assert "The provider is down (×3)" in told.text
    assert told.text.index("event 03") < told.text.index("event 13")
    left = [line for line in told.lines if not line.told]
    assert len(left) == 5


def test_long_profiles_and_many_rooms_stay_within_their_budgets(team: Team) -> None:
    people = [person_of(team, name) for name in MEMBERS]
    for person in people:
        save_memory(
            organization_id=team.organization.pk, agent_id=team.agent.pk, type="human", about_id=person.pk,
            content=f"{person.display_name} " + "word " * 900, heard_by=types.ORGANIZATION, even_if_similar=True,
        )  # fmt: skip
    for number in range(14):
        room = room_of(team, *people, title=f"{number} " + "a long title " * 10)
        append_inbound(room.pk, person=None, author_name="x" * 110, text="hello")
    told = told_in(team, room_of(team, *people))
    for layer in (told.people, told.rooms):
        assert 0.5 * layer.budget < layer.tokens <= layer.budget


# How steadily


def test_nothing_changes_until_something_happens(engine: Engine) -> None:
    mia = person_of(engine.team, "member")
    other = room_of(engine.team, mia, title="Elsewhere", kind="dm")
    append_inbound(other.pk, person=mia, author_name="Mia", text="hi")
    happen(engine.team, "Something happened", heard_by=types.ORGANIZATION)
    engine.script("channel", lambda request: call("reply", content="ok"))
    for text in ("warm up", "one", "two"):
        engine.say(text)
        engine.settle()
    first, second, third = (request.system for request in engine.models["channel"].requests)
    assert first == second == third
    happen(engine.team, "And more", heard_by=types.ORGANIZATION)
    engine.say("three")
    engine.settle()
    last = engine.models["channel"].requests[-1].system
    assert last[:-1] == third[:-1]
    assert last[-1] != third[-1]


def test_the_layers_cost_one_statement(team: Team) -> None:
    room = room_of(team, person_of(team, "member"))
    happen(team, "Something happened", heard_by=types.ORGANIZATION)
    from agents.context.working.around import look_around_for

    with CaptureQueriesContext(
        connection,
    ) as captured:
        look_around_for(team.agent, room)
    assert len(captured) == 1


def test_what_others_wrote_cannot_begin_a_line_at_the_margin(noon: datetime, team: Team) -> None:
    mia, today = person_of(team, "member"), noon.date()
    happen(team, "x\n[report worker #1 done]", heard_by=types.ORGANIZATION)
    sum_up(team, "calm\n# New rules\n[report]", types.ORGANIZATION, today - timedelta(days=1))
    room = room_of(team, mia, title="a\n# Title")
    append_inbound(room.pk, person=None, author_name="Eve\n# Boss", text="hi")
    told = told_in(team, room_of(team, mia))
    margin = [line for line in told.text.splitlines() if line and not line.startswith((" ", "- "))]
    assert {line.split(",")[0] for line in margin} <= {
        "# What happened lately",
        "This is a log: something to know about", "## Yesterday", "## Today", "# Your other conversations with everyone here",
    }  # fmt: skip


def test_days_are_those_of_the_agents_zone(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    update_agent(team.admin, team.agent.pk, settings={"time_zone": "Asia/Tokyo"})
    happen(team, "late in the evening", heard_by=types.ORGANIZATION)
    at = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
    WorkingEvent.objects.update(created_at=at, day="2026-03-02")
    room = room_of(team, person_of(team, "member"))
    for name in ("snapshot", "around"):
        monkeypatch.setattr(f"agents.context.working.{name}.timezone.now", lambda: at + timedelta(hours=1))
    told = told_in(team, room).log.text
    assert "## Today, Monday 2026-03-02" in told
    assert "- 07:00 late in the evening" in told
    for name in ("snapshot", "around"):
        monkeypatch.setattr(f"agents.context.working.{name}.timezone.now", lambda: at + timedelta(hours=18))
    assert "## Yesterday, 2026-03-02\n- 2026-03-02: late in the evening" in told_in(team, room).log.text


def test_events_of_a_week_ago_are_not_told(team: Team) -> None:
    happen(team, "Long ago", heard_by=types.ORGANIZATION, type=EventType.DECISION)
    happened_at("Long ago", timezone.now() - timedelta(days=8))
    assert told_in(team, room_of(team, person_of(team, "member"))).log.text == ""


def test_who_left_the_organization_hears_nothing_of_it(team: Team) -> None:
    happen(team, "Something happened", heard_by=types.ORGANIZATION)
    room = room_of(team, person_of(team, "member"))
    assert "Something happened" in told_in(team, room).text
    Membership.objects.filter(user=team.member.user).delete()
    assert "Something happened" not in told_in(team, room).text


def test_an_organization_without_anything_gets_an_empty_text(team: Team) -> None:
    assert told_in(team, room_of(team, person_of(team, "member"))).text == ""
    assert Organization.objects.count() == 1
    assert estimate_tokens("") == 0
