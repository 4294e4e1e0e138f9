"""A house full of secrets: every memory, message, summary and result bears a mark of its own.

`Secret` says in plain Python who may hear a mark; nothing here asks the code under test who may.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Membership, Person, Role, User
from agents.models import Agent, Checkpoint, Prompt, Report, Run, Step
from agents.payloads import checkpoint_payload, run_payload
from memory import types
from memory.models import Memory
from memory.services import editing
from memory.services.consolidation import Merge, consolidate
from memory.services.saving import save_memory
from memory.services.transcripts import index_conversation
from memory.types import SYSTEM, HeardBy, Provenance
from messaging.models import Conversation, Participant
from messaging.services.conversations import start_conversation
from messaging.services.messages import append_inbound, append_outbound
from realtime.services import NewEvent, record, unit_of_work
from tests.factories import Team, make_team
from tests.leaks.lately import Lately, plant_lately

WORD = "heliotrope"
MEMBERS = ("owner", "admin", "moderator", "member", "other_member", "late")
PEOPLE = (*MEMBERS, "guest", "leaver", "stranger")
USERS = (*MEMBERS, "stranger")
ROOMS: dict[str, tuple[str, ...]] = {
    "dm_member": ("member",),
    "dm_owner": ("owner",),
    "dm_guest": ("guest",),
    "pair": ("member", "other_member"),
    "mixed": ("member", "guest"),
    "everyone": MEMBERS[:-1],
    "left": ("member", "leaver"),
    "joined": ("member", "moderator", "late"),
    "hush": ("member", "other_member"),
    "elsewhere": ("member", "owner"),
    "theirs": ("stranger",),
}
"""`late` joined after everything in `joined` had happened; memory is off in `hush`; another agent is in `elsewhere`."""


@dataclass(frozen=True)
class Secret:
    """What a mark stands for: `kind` organization, person, room or thought (of a run in that room)."""

    kind: str
    key: str
    agent: str = "spacebot"
    off_record: bool = False
    retired: bool = False
    forgotten: bool = False
    """`forgotten` is retired as well: a person said that it should not be known any more."""
    also: frozenset[str] = frozenset()
    """Who may read it, beside those in the room: it waits for their decision."""

    def is_for(self, ears: frozenset[str]) -> bool:
        """Say whether every one of these people may hear it. Nobody at all may hear nothing."""
        if not ears:
            return False
        if self.kind == "organization":
            return ears <= set(MEMBERS) if self.key == "acme" else ears <= {"stranger"}
        if self.kind == "person":
            return ears == {self.key}
        present = set(ROOMS[self.key]) - ({"late"} if self.kind == "thought" else set())
        return ears <= present | self.also


@dataclass
class World:
    acme: Team
    rivals: Team
    other_agent: Agent
    people: dict[str, Person] = field(default_factory=dict)
    rooms: dict[str, Conversation] = field(default_factory=dict)
    branches: dict[str, Run] = field(default_factory=dict)
    workers: dict[str, Run] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    memories: list[int] = field(default_factory=list)
    lately: Lately = field(default_factory=Lately)
    _numbers: Any = field(default_factory=lambda: itertools.count(1000))

    def mark(self, kind: str, key: str, **more: Any) -> str:
        """Return a new mark: one word that occurs nowhere else."""
        mark = f"zq{next(self._numbers)}x"
        self.secrets[mark] = Secret(kind, key, **more)
        return mark

    def actor(self, name: str) -> Actor:
        if name == "stranger":
            return self.rivals.member
        if name == "late":
            user = self.people["late"].user
            assert user is not None
            return Actor(user=user, organization=self.acme.organization, role=Role.MEMBER)
        actor: Actor = getattr(self.acme, name)
        return actor

    def agent_of(self, room: str) -> str:
        return "other" if room == "elsewhere" else "spacebot"

    def remember(
        self, team: Team, kind: str, key: str, heard_by: HeardBy, *, agent: str = "spacebot", **more: Any
    ) -> tuple[Memory, str]:
        mark = self.mark(kind, key, agent=agent)
        saved = save_memory(
            organization_id=team.organization.pk,
            agent_id=self.other_agent.pk if agent == "other" else team.agent.pk,
            content=f"{WORD} {mark}",
            heard_by=heard_by,
            even_if_similar=True,
            **{"type": "fact", "importance": 0.9, **more},
        )
        assert saved.memory is not None
        self.memories.append(saved.memory.pk)
        return saved.memory, mark


def build_world() -> World:
    acme, rivals = make_team("acme"), make_team("rivals")
    other = Agent.objects.create(organization=acme.organization, slug="other", name="Other")
    world = World(acme, rivals, other)
    _people(world)
    for name in ROOMS:
        _room(world, name)
    _memories(world)
    plant_lately(world)
    _pasts(world)
    late = world.people["late"]
    Participant.objects.create(
        organization=acme.organization, conversation=world.rooms["joined"], person=late
    )
    return world


def _people(world: World) -> None:
    organization = world.acme.organization
    for name in MEMBERS[:-1]:
        user = getattr(world.acme, name).user
        world.people[name] = Person.objects.get(organization=organization, user=user)
    for name in ("late", "leaver"):
        user = User.objects.create(email=f"{name}@acme.test", name=name.title())
        world.people[name] = Person.objects.create(organization=organization, user=user, display_name=name)
        if name == "late":
            Membership.objects.create(organization=organization, user=user, role=Role.MEMBER)
    world.people["guest"] = Person.objects.create(organization=organization, display_name="Guest")
    world.people["stranger"] = Person.objects.get(
        organization=world.rivals.organization, user=world.rivals.member.user
    )


def _room(world: World, name: str) -> None:
    """Open a room in which one message, one reply, one summary, two runs and one report were made."""
    team = world.rivals if name == "theirs" else world.acme
    agent = world.other_agent if name == "elsewhere" else team.agent
    kind = "dm" if name.startswith("dm") else "group"
    room = start_conversation(team.owner, agent_id=agent.pk, kind=kind, title=name)
    Participant.objects.filter(conversation=room).delete()
    for person in ROOMS[name]:
        if person != "late":
            Participant.objects.create(
                organization=team.organization, conversation=room, person=world.people[person]
            )
    if name == "hush":
        Conversation.objects.filter(pk=room.pk).update(settings={"memory": "off"})
    world.rooms[name] = room
    of_room = {"agent": world.agent_of(name), "off_record": name == "hush"}

    def said(kind: str = "room") -> str:
        return f"{WORD} {world.mark(kind, name, **of_room)}"

    first = world.people[ROOMS[name][0]]
    append_inbound(room.pk, person=first, author_name=first.display_name, text=said())
    append_outbound(room.pk, run_id=0, author_name=agent.name, text=said(), key=f"reply in {name}")
    index_conversation(room.pk)
    summary = Checkpoint.objects.create(
        organization=team.organization, conversation=room, from_seq=1, to_seq=1, title=said(), summary=said()
    )
    world.branches[name] = _run(team, agent, room, "branch", "succeeded", said, world)
    world.workers[name] = _run(team, agent, room, "worker", "running", said, world)
    Report.objects.create(
        organization=team.organization,
        conversation=room,
        run=world.branches[name],
        outcome="done",
        text=said(),
    )
    with unit_of_work():
        for run in (world.branches[name], world.workers[name]):
            payload = {"run": run_payload(run)}
            record(team.organization.pk, NewEvent("run.changed", payload, conversation_id=room.pk))
        told = {"checkpoint": checkpoint_payload(summary)}
        record(team.organization.pk, NewEvent("checkpoint.created", told, conversation_id=room.pk))


def _run(team: Team, agent: Agent, room: Conversation, kind: str, state: str, said: Any, world: World) -> Run:
    """Make a run whose title, status and result are the room's, and whose prompt and step are for those who were there."""
    now = timezone.now()
    done = state == "succeeded"
    number = len(world.branches) + len(world.workers)
    prompt = Prompt.objects.create(
        organization=team.organization, digest=f"{kind} {number}", system=[said("thought")], tools=[]
    )
    run = Run.objects.create(
        organization=team.organization, agent=agent, conversation=room, kind=kind, state=state, title=said(),
        status_text=said(), result={"text": said()} if done else {}, input={"task": said()}, due_at=now,
        finished_at=now if done else None, fork_seq=2, prompt=prompt,
        lease_expires_at=None if done else now,
    )  # fmt: skip
    Step.objects.create(
        organization=team.organization, run=run, number=0, added=[{"role": "user", "text": said("thought")}],
        response={"role": "assistant", "text": said("thought")}, started_at=now, finished_at=now,
    )  # fmt: skip
    return run


def _memories(world: World) -> None:
    """Let each agent know one trusted thing, and one from outside, for every audience there is."""
    acme = world.acme
    audiences: list[tuple[str, str, HeardBy]] = [("organization", "acme", types.ORGANIZATION)]
    audiences += [
        ("room", name, types.conversation(room.pk))
        for name, room in world.rooms.items()
        if name not in ("theirs", "hush")
    ]
    audiences += [
        ("person", name, types.person(person.pk))
        for name, person in world.people.items()
        if name != "stranger"
    ]
    outside = Provenance(source="web", source_name="https://example.org", trusted=False)  # type: ignore[arg-type]
    known: list[Memory] = []
    for kind, key, heard_by in audiences:
        learned = Provenance(conversation_id=world.rooms["pair"].pk, person_id=world.people["member"].pk)
        known.append(world.remember(acme, kind, key, heard_by, provenance=learned)[0])
        world.remember(acme, kind, key, heard_by, provenance=outside, type="event")
        world.remember(acme, kind, key, heard_by, agent="other", type="decision")
    for memory in known[1:]:
        related = [(known[0].pk, "contradicts", 1.0)]
        world.remember(
            acme, "organization", "acme", types.ORGANIZATION, related=[(memory.pk, "related_to", 1.0), *related],
            contradicts=[memory.pk],
        )  # fmt: skip
    for kind, key, heard_by in (
        ("organization", "rivals", types.ORGANIZATION),
        ("room", "theirs", types.conversation(world.rooms["theirs"].pk)),
        ("person", "stranger", types.person(world.people["stranger"].pk)),
    ):
        world.remember(world.rivals, kind, key, heard_by)


def _pasts(world: World) -> None:
    """Memories that were corrected, merged, replaced or forgotten while they were one person's, and opened afterwards."""
    acme, private = world.acme, types.person(world.people["moderator"].pk)
    shelf = {"organization_id": acme.organization.pk, "agent_id": acme.agent.pk}

    def own() -> Memory:
        return world.remember(acme, "person", "moderator", private)[0]

    def public() -> str:
        return f"{WORD} {world.mark('organization', 'acme')}"

    corrected, merged, absorbed, replaced, forgotten = own(), own(), own(), own(), own()
    editing.edit_memory(acme.moderator, corrected.pk, content=public())
    consolidate(**shelf, merges=[Merge(merged.pk, frozenset({absorbed.pk}), public())], author=SYSTEM)
    newer = save_memory(
        **shelf, type="fact", content=public(), heard_by=private, supersedes=replaced.pk
    ).memory
    assert newer is not None
    world.memories.append(newer.pk)
    for memory in (corrected, merged, newer):
        editing.change_audience(acme.moderator, memory.pk, types.ORGANIZATION)
    editing.forget_memory(acme.moderator, forgotten.pk)
    retired = Memory.objects.filter(pk__in=[absorbed.pk, replaced.pk, forgotten.pk])
    for pk, content in retired.values_list("pk", "content"):
        mark = content.split()[-1]
        world.secrets[mark] = Secret("person", "moderator", retired=True, forgotten=pk == forgotten.pk)
