"""Two organizations full of rows, and everyone who might ask for them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from accounts.actor import Actor
from accounts.models import ApiToken, Membership, Person, Role, User
from accounts.scopes import allowed_scopes
from accounts.services.tokens import create_token
from agents.models import Agent, AgentLink, Breaker, EgressRule, McpServer, McpTool, Profile, Question, Run
from llm.models import ModelEntry, Provider
from memory.models import Consolidation, InboxItem, IngestedFile, Memory
from messaging.attachments import pictures
from messaging.attachments.services import send_file
from messaging.models import Conversation, Message
from messaging.services.conversations import start_conversation
from realtime.models import Notice
from secret_store.services import set_secret
from tasks.models import (
    Approval,
    ApprovalRule,
    Firing,
    Goal,
    Grant,
    Schedule,
    Task,
    TaskCounter,
    TaskRevision,
)
from tasks.services.approvals.asking import Asker, ask
from tasks.snapshots import snapshot
from tests.admin.rows import make_installation_rows, make_rows
from tests.api.conftest import Api
from tests.factories import Team, make_team
from tests.matrix.autonomy_rows import make_autonomy
from tests.pictures import png

BACKEND = "django.contrib.auth.backends.ModelBackend"
NOBODY, STRANGER, SUPERUSER, NO_SCOPE = "nobody", "stranger", "superuser", "no scope"
PEOPLE = (NOBODY, STRANGER, "member", "moderator", "admin", "owner", SUPERUSER)
INSIDERS = ("member", "moderator", "admin", "owner")


@dataclass
class World:
    """The rows belong to acme. Of its people only the member and a guest take part in the conversation."""

    acme: Team
    rivals: Team
    superuser: User
    values: dict[str, Any]
    rows: dict[type[Model], Model]
    strange_rows: dict[type[Model], Model]
    browsers: dict[str, Client] = field(default_factory=dict)
    tokens: dict[str, Api] = field(default_factory=dict)

    def path(self, template: str) -> str:
        return template.format(**self.values)

    def visitor(self, who: str) -> Client:
        """Return a browser of one's own, which may sign out without signing out others."""
        client = Client()
        client.cookies.update(self.browsers[who].cookies)
        return client


def build_world() -> World:
    acme, rivals = make_team("acme"), make_team("rivals")
    # Staff by mistake: the role decides, not the mark.
    User.objects.filter(pk=acme.moderator.user.pk).update(is_staff=True)
    rows, strange_rows = make_rows(acme), make_rows(rivals)
    rows |= {type(row): row for row in [*make_installation_rows(acme), *_foreign_packages_rows(acme)]}
    values = _values(acme)
    world = World(acme, rivals, User.objects.create_superuser("root@site.test"), values, rows, strange_rows)
    for name, actor in _actors(world).items():
        world.browsers[name] = browser_of(actor.user)
        world.tokens[name] = Api(Client(), Authorization=f"Bearer {_token(actor)}")
    world.browsers[SUPERUSER] = browser_of(world.superuser)
    world.browsers[NOBODY] = Client()
    world.tokens[NOBODY] = Api(Client())
    return world


def _actors(world: World) -> dict[str, Actor]:
    return {STRANGER: world.rivals.owner, **{name: getattr(world.acme, name) for name in INSIDERS}}


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def _token(actor: Actor, *scopes: str) -> str:
    return create_token(actor, name="all", scopes=scopes or allowed_scopes(actor.role))[1]


def without_scope(world: World, scope: str) -> Api:
    """Return the owner's client whose token may do everything but this."""
    scopes = allowed_scopes(Role.OWNER) - {scope}
    return Api(Client(), Authorization=f"Bearer {_token(world.acme.owner, *scopes)}")


def _values(team: Team) -> dict[str, Any]:
    """Make rows for the routes' parameters."""
    organization = team.organization
    guest = User.objects.create(email="guest@acme.test")
    Membership.objects.create(organization=organization, user=guest, role=Role.MEMBER)
    Person.objects.create(organization=organization, user=guest, display_name="Guest")
    agent = Agent.objects.create(organization=organization, slug="only-here", name="Only here")
    conversation = start_conversation(
        team.member, agent_id=agent.pk, kind="group", title="x", user_ids=[guest.pk]
    )
    now = timezone.now()
    run = Run.objects.create(
        organization=organization, agent=agent, conversation=conversation, kind="worker", state="failed",
        due_at=now, finished_at=now, input={"task": "x"},
    )  # fmt: skip
    provider = Provider.objects.create(organization=organization, name="spare", kind="offline")
    entry = ModelEntry.objects.create(organization=organization, provider=provider, name="offline")
    token = ApiToken.objects.create(
        organization=organization, user=team.member.user, name="t", digest="a token of the member"
    )
    secret = set_secret(None, organization, name="SOME_KEY", value="a value that is long enough")
    message = Message.objects.create(
        organization=organization, conversation=conversation, seq=1, direction="out", author_name="x",
        text="x", handling="not_needed",
    )  # fmt: skip
    Conversation.objects.filter(pk=conversation.pk).update(last_seq=1)
    here = {
        "organization": organization, "agent_id": agent.pk, "type": "fact", "importance": 0.5,
        "audience": "conversation", "audience_conversation": conversation,
        "created_at": now, "updated_at": now, "valid_from": now,
    }  # fmt: skip
    known, target = (Memory.objects.create(content=text, digest=text, **here) for text in ("known", "target"))
    item = InboxItem.objects.create(
        organization=organization, agent_id=agent.pk, kind="merge", first=known, second=target
    )
    merged = Memory.objects.create(content="merged", digest="merged", superseded_at=now, **here)
    merge = Consolidation.objects.create(
        organization=organization, survivor=known,
        before={"survivor": {"content": "known"}, "merged_digest": "known", "reach": conversation.pk, "absorbed": [merged.pk],
                "edges_moved": [], "edges_made": []},
    )  # fmt: skip
    file = IngestedFile.objects.create(
        organization=organization, agent_id=agent.pk, name="a.txt", digest="of a.txt", size_bytes=1,
        media_type="text/plain", state="failed", chunks_total=1,
    )  # fmt: skip
    link = AgentLink.objects.create(
        organization=organization, first_user=guest, second_agent=agent, pair="guest and agent"
    )
    notice = Notice.objects.create(
        organization=organization, user=team.member.user, kind="failure", key="of the world", title="x", created_at=now,
        updated_at=now,
    )  # fmt: skip
    breaker = Breaker.objects.create(
        organization=organization, agent=agent, tool="write_file", state="open", failures=3, trips=1,
        opened_at=now, next_try_at=now,
    )  # fmt: skip
    Profile.objects.create(
        organization=organization, agent=agent, display_name="x", status_line="x", bio="x", made_at=now
    )
    egress_rule = EgressRule.objects.create(organization=organization, kind="allow", host="world.example.org")
    asked = make_approval(team, conversation)
    rule = ApprovalRule.objects.create(organization=organization, subject="nothing")
    grant = Grant.objects.create(
        organization=organization, agent_id=agent.pk, subject="write_file", given_by=team.owner.user,
        ends_at=now + timedelta(days=1),
    )  # fmt: skip
    task = Task.objects.create(
        organization=organization, number=7, title="x", state="ready", created_by_kind="agent",
        audience="conversation", conversation=conversation, requester_user=team.member.user,
        assignee_agent_id=agent.pk,
    )  # fmt: skip
    TaskRevision.objects.create(
        organization=organization, task=task, number=1, snapshot={**snapshot(task), "title": "before"},
        author_kind="agent",
    )  # fmt: skip
    proposed = Task.objects.create(
        organization=organization, number=8, title="x", state="pending_approval", created_by_kind="agent",
        requester_user=guest,
    )  # fmt: skip
    goal = Goal.objects.create(organization=organization, title="x", status="active")
    TaskCounter.objects.filter(organization=organization).update(last_number=2_000)
    schedule = Schedule.objects.create(
        organization=organization, conversation=conversation, agent_id=agent.pk, owner=team.member.user, name="x",
        prompt="x", kind="interval", interval_s=3_600, anchor_at=now, time_zone="UTC", state="active",
        next_due_at=now + timedelta(hours=1),
    )  # fmt: skip
    firing = Firing.objects.create(
        organization=organization, schedule=schedule, due_at=now, decision="fired", execution="succeeded",
        delivery="failed", message=message, decided_at=now, finished_at=now,
    )  # fmt: skip
    server = McpServer.objects.create(
        organization=organization,
        name="clock-2",
        transport="stdio",
        command="/usr/bin/true",
        kinds=["worker"],
    )
    listed, withdrawn = (
        McpTool.objects.create(
            organization=organization, server=server, remote_name=name, local_name=f"clock-2__{name}", digest="1" * 64,
            approved_digest=approved, input_schema={"type": "object"},
        )
        for name, approved in (("now", ""), ("then", "1" * 64))
    )  # fmt: skip
    sent = send_file(
        conversation,
        run_id=run.pk,
        author_name="x",
        name="x.txt",
        stream=io.BytesIO(b"x"),
        text="",
        key="of the world",
    )
    pictures.keep(organization.pk, conversation.pk, run.pk, "of the world", [png()])
    ((picture,),) = pictures.pictures_of(organization.pk, run.pk).values()
    question = Question.objects.create(
        organization=organization, conversation=conversation, run=run, message=sent, key="of the world", text="x",
        options=[{"label": "a", "description": ""}, {"label": "b", "description": ""}], expires_at=now + timedelta(days=1),
    )  # fmt: skip
    return {
        **make_autonomy(agent),
        "server_id": server.pk, "tool_id": listed.pk, "withdrawn_id": withdrawn.pk,
        "question_id": question.pk, "attachment_id": sent.attachments.get().pk, "picture_id": picture.pk,
        "notice_id": notice.pk, "link_id": link.pk,
        "breaker_id": breaker.pk, "egress_rule_id": egress_rule.pk, "job_name": "associations",
        "approval_id": asked.pk, "grant_id": grant.pk, "rule_id": rule.pk, "tool": "write_file",
        "task_number": task.number, "revision": 1, "proposed_number": proposed.number, "goal_id": goal.pk,
        "schedule_id": schedule.pk, "firing_id": firing.pk,
        "file_id": file.pk, "memory_id": known.pk, "target_id": target.pk, "item_id": item.pk, "relation": "related_to",
        "merge_id": merge.pk, "secret_id": secret.pk,
        "conversation_id": conversation.pk, "message_id": message.pk, "emoji": "👍", "seq": 1,
        "run_id": run.pk, "token_id": token.pk,
        "user_id": guest.pk, "provider_id": provider.pk, "model_id": entry.pk, "entry_id": entry.pk,
        "agent_id": agent.pk, "slug": agent.slug, "name": "SOME_KEY", "process": "branch", "raw": "unknown",
        "key": "unknown", "uidb36": "1", "app_label": "agents", "content_type_id": 1, "object_id": 1,
        "id": guest.pk, "url": "nothing/here",
    }  # fmt: skip


def make_approval(team: Team, conversation: Conversation) -> Approval:
    """Make one of no real kind that the member asked for, in a conversation the member is in."""
    return ask(
        Asker(
            team.organization.pk, agent_id=conversation.agent_id, conversation_id=conversation.pk,
            requester_user_id=team.member.user.pk,
        ),
        kind="nothing", action={"do": "nothing"}, origin_key="matrix", title="Nothing",
    )  # fmt: skip


def _foreign_packages_rows(team: Team) -> list[Model]:
    """Return a row of each model that another package brings and the admin shows."""
    from allauth.account.models import EmailAddress

    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    return [
        hourly,
        PeriodicTask.objects.create(name="a task of a test", task="nothing", interval=hourly),
        ClockedSchedule.objects.create(clocked_time=timezone.now()),
        CrontabSchedule.objects.create(),
        SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1),
        EmailAddress.objects.create(user=team.member.user, email="second@acme.test"),
    ]


def registered_models() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


@contextmanager
def undone() -> Iterator[None]:
    """Let something happen and take it back, so that the next one finds the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
