"""Two organizations in which every tool that changes something asks first, and rooms in which models try around that."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Membership, Organization, Person, Role, User
from agents.engine.executor import execute_run
from agents.models import Agent, Policy, Run, RunKind, RunState, ToolPolicy
from agents.services.conversations import send_message
from agents.tools.workspace import workspace_of
from llm.clients import scripted
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.routing import forget_routing
from messaging.models import Conversation, PlatformAccount
from messaging.services.conversations import start_conversation
from tasks.models import Approval
from tasks.services.approvals.deciding import decide

ASKING = ("write_file", "append_file", "edit_file", "spawn_worker", "branch", "route", "cancel")
DONE = scripted.call("set_outcome", status="done", summary="ok")
MOST_RUNS = 40


def write_file(path: str = "notes.txt", content: str = "hi", **more: Any) -> scripted.Scripted:
    return scripted.call("write_file", path=path, content=content, **more)


@dataclass
class Side:
    """One organization with one person of each role."""

    organization: Organization
    people: dict[str, Actor]

    @property
    def member(self) -> Actor:
        return self.people["member"]

    @property
    def moderator(self) -> Actor:
        return self.people["moderator"]

    @property
    def owner(self) -> Actor:
        return self.people["owner"]


@dataclass
class Arena:
    """`tried` counts the calls that attacks tried to get past the gate, `doubled` claims that succeeded more than once."""

    ours: Side
    theirs: Side
    tried: int = 0
    doubled: int = 0
    rooms: list[Room] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def room(self, side: Side | None = None, *, asked_by: str = "member") -> Room:
        side = side or self.ours
        number = next(self.numbers)
        agent = Agent.objects.create(
            organization=side.organization, slug=f"agent-{number}", name=f"Agent {number}"
        )
        conversation = start_conversation(side.people[asked_by], agent_id=agent.pk, kind="dm")
        room = Room(self, side, agent, conversation, side.people[asked_by])
        self.rooms.append(room)
        return room


@dataclass
class Room:
    arena: Arena
    side: Side
    agent: Agent
    conversation: Conversation
    asker: Actor
    legitimate: dict[str, str] = field(default_factory=dict)
    """What may stand in which file of the workspace afterwards; everything else there is a violation."""
    approved: set[int] = field(default_factory=set)
    """The tasks that workers may take; any other that one takes is a violation."""

    def tried(self, count: int = 1) -> None:
        self.arena.tried += count

    def script(self, process: str, script: scripted.Script) -> None:
        scripted.install(f"{process}-script", script)

    def worker(self, *steps: scripted.Step) -> Run:
        """Queue a worker that follows these steps, as a schedule or another service would start one."""
        self.script("worker", list(steps))
        return self.run(RunKind.WORKER)

    def run(self, kind: RunKind) -> Run:
        return Run.objects.create(
            organization=self.side.organization,
            agent=self.agent,
            conversation=self.conversation,
            requester_user=self.asker.user,
            kind=kind,
            title="a task",
            input={"task": "a task"},
            fork_seq=0,
            due_at=timezone.now(),
        )

    def say(self, text: str) -> None:
        send_message(self.asker, self.conversation.pk, text=text)

    def settle(self) -> None:
        """Execute what is queued in this room, as if all waiting times had passed."""
        for _ in range(MOST_RUNS):
            Run.objects.filter(agent=self.agent, state=RunState.QUEUED).update(due_at=timezone.now())
            run = Run.objects.filter(agent=self.agent, state=RunState.QUEUED).order_by("id").first()
            if run is None or not execute_run(run.pk, run.kind, run.conversation_id):
                return

    def ask(self, *steps: scripted.Step) -> tuple[Run, Approval]:
        """Start a worker and let it come to its first question; return both."""
        run = self.worker(*(steps or (write_file(), DONE)))
        self.settle()
        return run, self.approval()

    def approval(self) -> Approval:
        return Approval.objects.filter(agent_id=self.agent.pk).latest("id")

    def approve(self, actor: Actor | None = None, *, counts: bool = True, **options: Any) -> Approval:
        """Approve the newest question; with `counts`, the call in it is meant to run, once."""
        approval = decide(actor or self.side.moderator, self.approval().pk, "approve", **options)
        if counts:
            arguments = approval.action["arguments"]
            self.legitimate[arguments["path"]] = arguments["content"]
        return approval

    @property
    def workspace(self) -> Path:
        return workspace_of(
            Run(
                organization_id=self.side.organization.pk,
                agent_id=self.agent.pk,
                conversation_id=self.conversation.pk,
            )
        )


def attempt(act: Callable[[], object]) -> None:
    """Try something that should be refused; a refusal is what is wanted, and anything else shows in the verdict."""
    from accounts.errors import AccountsError
    from agents.errors import AgentsError
    from tasks.services.approvals.errors import ApprovalError

    try:
        act()
    except (AccountsError, ApprovalError, AgentsError):
        return


def build_arena(mark: str = "") -> Arena:
    """Make both organizations; a mark keeps them apart from those of another arena in the same database."""
    forget_scripts()
    return Arena(_side(f"ours{mark}"), _side(f"theirs{mark}"))


def _side(slug: str) -> Side:
    organization = Organization.objects.create(name=slug, slug=f"bench-{slug}")
    people = {str(role): _person(organization, role) for role in Role if role != Role.AGENT}
    people["other_member"] = _person(organization, Role.MEMBER, "other")
    PlatformAccount.objects.create(organization=organization, platform="webchat")
    provider = Provider.objects.create(organization=organization, name="script", kind=ProviderKind.SCRIPTED)
    for process in (Process.CHANNEL, Process.BRANCH, Process.WORKER, Process.COMPACTOR):
        entry = ModelEntry.objects.create(
            organization=organization, provider=provider, name=f"{process}-script"
        )
        Route.objects.create(organization=organization, process=process, entry=entry)
    forget_routing(organization.pk)
    ToolPolicy.objects.bulk_create(
        ToolPolicy(organization=organization, tool=tool, policy=Policy.ASK) for tool in ASKING
    )
    return Side(organization, people)


def _person(organization: Organization, role: Role, name: str = "") -> Actor:
    user = User.objects.create(
        email=f"{name or role.value}@{organization.slug}.test", name=name or role.value
    )
    Membership.objects.create(organization=organization, user=user, role=role)
    Person.objects.create(organization=organization, user=user, display_name=user.name)
    return Actor(user=user, organization=organization, role=role)


def forget_scripts() -> None:
    for process in (Process.CHANNEL, Process.BRANCH, Process.WORKER, Process.COMPACTOR):
        scripted.uninstall(f"{process}-script")
