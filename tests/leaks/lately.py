"""What is planted of lately: events, their summaries and profiles for every audience; and the work of every room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.models import Role
from agents.context.days import day_of, load_zone
from agents.cortex.services import open_chat
from agents.models import Agent, EventType, Synthesis, WorkingEvent
from agents.services.conversation_settings import choose_memory
from agents.services.events import record_event
from memory import types
from memory.types import HeardBy
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from realtime.models import NoticeKind
from realtime.notices.services import notify
from realtime.services import unit_of_work
from tasks.models import Approval, Schedule, Task, TaskCounter
from tests.leaks.lately_work import Work, plant_work

if TYPE_CHECKING:
    from tests.leaks.world import World

DECIDERS = {
    Role.MEMBER: frozenset({"owner", "admin", "moderator"}),
    Role.MODERATOR: frozenset({"owner", "admin", "moderator"}),
    Role.OWNER: frozenset({"owner"}),
}
"""Who decides, by the least role it takes, on what came out of a conversation they take no part in."""


@dataclass
class Lately:
    """Rows of the work of each room, and the private conversation in which each user asks the system."""

    tasks: dict[str, Task] = field(default_factory=dict)
    approvals: dict[str, list[Approval]] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    chats: dict[str, Conversation] = field(default_factory=dict)
    work: dict[str, Work] = field(default_factory=dict)


Audience = tuple[str, str, HeardBy]


def audiences_of(world: World) -> list[Audience]:
    """Return every audience of the one organization, as its kind, its key and what rows say of it."""
    found: list[Audience] = [("organization", "acme", types.ORGANIZATION)]
    found += [
        ("room", name, types.conversation(room.pk)) for name, room in world.rooms.items() if name != "theirs"
    ]
    found += [
        ("person", name, types.person(person.pk))
        for name, person in world.people.items()
        if name != "stranger"
    ]
    return found


def plant_lately(world: World) -> None:
    room = world.rooms["hush"]
    Conversation.objects.filter(pk=room.pk).update(settings={})
    agents = {"spacebot": world.acme.agent, "other": world.other_agent}
    for kind, key, heard_by in audiences_of(world):
        for name, agent in agents.items():
            _events(world, agent, name, kind, key, heard_by)
    theirs = types.conversation(world.rooms["theirs"].pk)
    for kind, key, heard_by in (
        ("organization", "rivals", types.ORGANIZATION),
        ("room", "theirs", theirs),
        ("person", "stranger", types.person(world.people["stranger"].pk)),
    ):
        _events(world, world.rivals.agent, "spacebot", kind, key, heard_by)
    choose_memory(world.acme.member, room.pk, mode="off")
    _profiles(world)
    for name in world.rooms:
        _work(world, name)
    for team, names in ((world.acme, ("owner", "admin", "moderator", "member", "other_member", "late")),
                        (world.rivals, ("stranger",))):  # fmt: skip
        for name in names:
            actor = world.actor(name)
            may = name in ("owner", "admin")
            world.lately.chats[name] = (
                open_chat(actor, team.agent.pk)
                if may
                else start_conversation(actor, agent_id=team.agent.pk, kind="dm")
            )


def _events(world: World, agent: Agent, name: str, kind: str, key: str, heard_by: HeardBy) -> None:
    """Let things happen on two days, each with one part that was summed up already."""
    where = next((room for room in world.rooms.values() if room.pk == heard_by.conversation_id), None)
    people = [each for each in world.people.values() if each.organization_id == agent.organization_id]
    today = day_of(timezone.now(), load_zone(agent.pk))

    def said() -> str:
        return f"event {world.mark(kind, key, agent=name, off_record=key == 'hush')}"

    for number in range(6):
        record_event(
            (EventType.OUTCOME, EventType.BRANCH_COMPLETED)[number % 2],
            said(),
            organization_id=agent.organization_id,
            agent_id=agent.pk,
            key=f"{kind} {key} {number}",
            where=Conversation.objects.get(pk=where.pk) if where else None,
            heard_by=heard_by,
            detail=said(),
            importance=0.9,
            person_id=people[number % len(people)].pk,
        )
    rows = list(WorkingEvent.objects.filter(agent=agent, reach=heard_by.reach).order_by("id"))
    for day, told, kinds in (
        (today, rows[:1], ["intraday"]),
        (today - timedelta(days=1), rows[1:2], ["intraday", "daily"]),
    ):
        for row in told:
            parts = [_summary(agent, heard_by, day, made, said(), row) for made in kinds]
            WorkingEvent.objects.filter(pk=row.pk).update(synthesis=parts[0], day=day)
    WorkingEvent.objects.filter(pk__in=[row.pk for row in rows[2:3]]).update(day=today - timedelta(days=1))


def _summary(
    agent: Agent, heard_by: HeardBy, day: object, kind: str, text: str, row: WorkingEvent
) -> Synthesis:
    return Synthesis.objects.create(
        organization_id=agent.organization_id, agent=agent, audience=heard_by.audience,
        audience_conversation_id=heard_by.conversation_id, audience_person_id=heard_by.person_id,
        kind=kind, day=day, text=text, event_count=1, from_at=row.created_at, to_at=row.created_at,
        created_at=row.created_at,
    )  # fmt: skip


def _profiles(world: World) -> None:
    """Let every audience have its own profile of the same person, and each person one that is theirs alone."""
    member = world.people["member"]
    for kind, key, heard_by in audiences_of(world):
        if key == "hush":
            continue
        for agent in ("spacebot", "other"):
            world.remember(
                world.acme, kind, key, heard_by, agent=agent, type="human", about_id=member.pk, importance=0.5
            )
        if kind == "person" and key != "member":
            about = world.people[key].pk
            world.remember(world.acme, kind, key, heard_by, type="human", about_id=about, importance=0.5)


def _work(world: World, name: str) -> None:
    """Let a room have a task, approvals by who decides them, a schedule, and notices that everyone was sent once."""
    team = world.rivals if name == "theirs" else world.acme
    organization, room = team.organization, world.rooms[name]
    agent = room.agent_id
    lately = world.lately
    # Work is not memory: where memory is off, it is still its room's.
    of_room = {"agent": world.agent_of(name), "off_record": name == "hush"}

    def said() -> str:
        return f"work {world.mark('room', name, **of_room)}"

    counter, _ = TaskCounter.objects.get_or_create(organization=organization)
    counter.last_number += 1
    counter.save()
    lately.tasks[name] = Task.objects.create(
        organization=organization, number=counter.last_number, title=said(), description=said(), state="ready",
        audience="conversation", conversation=room, created_by_kind="agent", created_by_agent_id=agent,
    )  # fmt: skip
    lately.approvals[name] = []
    for role, deciders in DECIDERS.items():

        def asked(deciders: frozenset[str] = deciders) -> str:
            others = frozenset() if name == "theirs" else deciders
            return f"work {world.mark('room', name, also=others, **of_room)}"

        lately.approvals[name].append(
            Approval.objects.create(
                organization=organization, kind="tool", subject="write_file", agent_id=agent, conversation=room,
                origin_key=f"{name} {role}", action={"text": asked()}, digest="0" * 64, title=asked(), why=asked(),
                minimum_role=role, expires_at=timezone.now() + timedelta(days=1),
            )
        )  # fmt: skip
    lately.schedules[name] = Schedule.objects.create(
        organization=organization, conversation=room, agent_id=agent, owner=team.owner.user, name=said(),
        prompt=said(), kind="expression", expression="0 9 * * *", time_zone="UTC", state="paused",
    )  # fmt: skip
    lately.work[name] = plant_work(world, name, lately.schedules[name], lately.approvals[name])
    users = [user.pk for user in (person.user for person in world.people.values()) if user is not None]
    with unit_of_work():
        notify(
            organization.pk, users, kind=NoticeKind.values[0], key=name, title=said(), text=said(),
            conversation_id=room.pk,
        )  # fmt: skip
