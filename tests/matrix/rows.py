"""Rows of one team for the parameters of every route."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import ApiToken, Membership, Person, Role, User
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
from tests.factories import Team
from tests.matrix.autonomy_rows import make_autonomy
from tests.pictures import png


def make_values(team: Team) -> dict[str, Any]:
    """Make rows for the routes' parameters."""
    rows = _Rows(team)
    return {
        **make_autonomy(rows.agent), **rows.models(), **rows.keys(), **rows.said(), **rows.memories(), **rows.watched(),
        **rows.approvals(), **rows.work(), **rows.schedules(), **rows.mcp(), **rows.sent(),
        "conversation_id": rows.conversation.pk, "run_id": rows.run.pk, "user_id": rows.guest.pk, "id": rows.guest.pk,
        "agent_id": rows.agent.pk, "slug": rows.agent.slug, "process": "branch", "raw": "unknown", "key": "unknown",
        "uidb36": "1", "app_label": "agents", "content_type_id": 1, "object_id": 1, "url": "nothing/here",
    }  # fmt: skip


class _Rows:
    """A conversation of a member and a guest with a run, and the rows that hang on them; each part gives its parameters."""

    message: Message

    def __init__(self, team: Team) -> None:
        self.team, self.organization = team, team.organization
        self.guest = User.objects.create(email="guest@acme.test")
        Membership.objects.create(organization=self.organization, user=self.guest, role=Role.MEMBER)
        Person.objects.create(organization=self.organization, user=self.guest, display_name="Guest")
        self.agent = Agent.objects.create(organization=self.organization, slug="only-here", name="Only here")
        self.conversation = start_conversation(
            team.member, agent_id=self.agent.pk, kind="group", title="x", user_ids=[self.guest.pk]
        )
        self.now = timezone.now()
        self.run = Run.objects.create(
            organization=self.organization, agent=self.agent, conversation=self.conversation, kind="worker", state="failed",
            due_at=self.now, finished_at=self.now, input={"task": "x"},
        )  # fmt: skip

    def models(self) -> dict[str, Any]:
        """A provider with a model."""
        provider = Provider.objects.create(organization=self.organization, name="spare", kind="offline")
        entry = ModelEntry.objects.create(organization=self.organization, provider=provider, name="offline")
        return {"provider_id": provider.pk, "model_id": entry.pk, "entry_id": entry.pk}

    def keys(self) -> dict[str, Any]:
        """A token of the member, and a secret."""
        token = ApiToken.objects.create(
            organization=self.organization,
            user=self.team.member.user,
            name="t",
            digest="a token of the member",
        )
        secret = set_secret(None, self.organization, name="SOME_KEY", value="a value that is long enough")
        return {"token_id": token.pk, "secret_id": secret.pk, "name": secret.name}

    def said(self) -> dict[str, Any]:
        """What the agent said in the conversation."""
        self.message = Message.objects.create(
            organization=self.organization, conversation=self.conversation, seq=1, direction="out", author_name="x",
            text="x", handling="not_needed",
        )  # fmt: skip
        Conversation.objects.filter(pk=self.conversation.pk).update(last_seq=1)
        return {"message_id": self.message.pk, "seq": self.message.seq, "emoji": "👍"}

    def memories(self) -> dict[str, Any]:
        """Memories, one of them merged into another, and a file."""
        here = {
            "organization": self.organization, "agent_id": self.agent.pk, "type": "fact", "importance": 0.5,
            "audience": "conversation", "audience_conversation": self.conversation,
            "created_at": self.now, "updated_at": self.now, "valid_from": self.now,
        }  # fmt: skip
        known, target = (
            Memory.objects.create(content=text, digest=text, **here) for text in ("known", "target")
        )
        item = InboxItem.objects.create(
            organization=self.organization, agent_id=self.agent.pk, kind="merge", first=known, second=target
        )
        merged = Memory.objects.create(content="merged", digest="merged", superseded_at=self.now, **here)
        merge = Consolidation.objects.create(
            organization=self.organization, survivor=known,
            before={"survivor": {"content": "known"}, "merged_digest": "known", "reach": self.conversation.pk,
            "absorbed": [merged.pk],
                    "edges_moved": [], "edges_made": []},
        )  # fmt: skip
        file = IngestedFile.objects.create(
            organization=self.organization, agent_id=self.agent.pk, name="a.txt", digest="of a.txt", size_bytes=1,
            media_type="text/plain", state="failed", chunks_total=1,
        )  # fmt: skip
        return {
            "memory_id": known.pk,
            "target_id": target.pk,
            "relation": "related_to",
            "item_id": item.pk,
            "merge_id": merge.pk,
            "file_id": file.pk,
        }

    def watched(self) -> dict[str, Any]:
        """What is told, linked, cut off and let out."""
        link = AgentLink.objects.create(
            organization=self.organization,
            first_user=self.guest,
            second_agent=self.agent,
            pair="guest and agent",
        )
        notice = Notice.objects.create(
            organization=self.organization, user=self.team.member.user, kind="failure", key="of the world", title="x",
            created_at=self.now,
            updated_at=self.now,
        )  # fmt: skip
        breaker = Breaker.objects.create(
            organization=self.organization, agent=self.agent, tool="write_file", state="open", failures=3, trips=1,
            opened_at=self.now, next_try_at=self.now,
        )  # fmt: skip
        Profile.objects.create(
            organization=self.organization,
            agent=self.agent,
            display_name="x",
            status_line="x",
            bio="x",
            made_at=self.now,
        )
        egress_rule = EgressRule.objects.create(
            organization=self.organization, kind="allow", host="world.example.org"
        )
        return {
            "link_id": link.pk,
            "notice_id": notice.pk,
            "breaker_id": breaker.pk,
            "job_name": "associations",
            "egress_rule_id": egress_rule.pk,
        }

    def approvals(self) -> dict[str, Any]:
        """An approval, a rule and a grant."""
        asked = make_approval(self.team, self.conversation)
        rule = ApprovalRule.objects.create(organization=self.organization, subject="nothing")
        grant = Grant.objects.create(
            organization=self.organization, agent_id=self.agent.pk, subject="write_file", given_by=self.team.owner.user,
            ends_at=self.now + timedelta(days=1),
        )  # fmt: skip
        return {"approval_id": asked.pk, "rule_id": rule.pk, "grant_id": grant.pk, "tool": grant.subject}

    def work(self) -> dict[str, Any]:
        """A task that is ready, one that is proposed, and a goal."""
        task = Task.objects.create(
            organization=self.organization, number=7, title="x", state="ready", created_by_kind="agent",
            audience="conversation", conversation=self.conversation, requester_user=self.team.member.user,
            assignee_agent_id=self.agent.pk,
        )  # fmt: skip
        TaskRevision.objects.create(
            organization=self.organization, task=task, number=1, snapshot={**snapshot(task), "title": "before"},
            author_kind="agent",
        )  # fmt: skip
        proposed = Task.objects.create(
            organization=self.organization, number=8, title="x", state="pending_approval", created_by_kind="agent",
            requester_user=self.guest,
        )  # fmt: skip
        goal = Goal.objects.create(organization=self.organization, title="x", status="active")
        TaskCounter.objects.filter(organization=self.organization).update(last_number=2_000)
        return {
            "task_number": task.number,
            "revision": 1,
            "proposed_number": proposed.number,
            "goal_id": goal.pk,
        }

    def schedules(self) -> dict[str, Any]:
        """A schedule that has fired."""
        schedule = Schedule.objects.create(
            organization=self.organization, conversation=self.conversation, agent_id=self.agent.pk,
            owner=self.team.member.user, name="x",
            prompt="x", kind="interval", interval_s=3_600, anchor_at=self.now, time_zone="UTC", state="active",
            next_due_at=self.now + timedelta(hours=1),
        )  # fmt: skip
        firing = Firing.objects.create(
            organization=self.organization, schedule=schedule, due_at=self.now, decision="fired", execution="succeeded",
            delivery="failed", message=self.message, decided_at=self.now, finished_at=self.now,
        )  # fmt: skip
        return {"schedule_id": schedule.pk, "firing_id": firing.pk}

    def mcp(self) -> dict[str, Any]:
        """A server with one tool that waits and one that is approved."""
        server = McpServer.objects.create(
            organization=self.organization,
            name="clock-2",
            transport="stdio",
            command="/usr/bin/true",
            kinds=["worker"],
        )
        listed, withdrawn = (
            McpTool.objects.create(
                organization=self.organization, server=server, remote_name=name, local_name=f"clock-2__{name}", digest="1" * 64,
                approved_digest=approved, input_schema={"type": "object"},
            )
            for name, approved in (("now", ""), ("then", "1" * 64))
        )  # fmt: skip
        return {"server_id": server.pk, "tool_id": listed.pk, "withdrawn_id": withdrawn.pk}

    def sent(self) -> dict[str, Any]:
        """A file and a picture of the run, and its question."""
        sent = send_file(
            self.conversation,
            run_id=self.run.pk,
            author_name="x",
            name="x.txt",
            stream=io.BytesIO(b"x"),
            text="",
            key="of the world",
        )
        pictures.keep(self.organization.pk, self.conversation.pk, self.run.pk, "of the world", [png()])
        ((picture,),) = pictures.pictures_of(self.organization.pk, self.run.pk).values()
        question = Question.objects.create(
            organization=self.organization, conversation=self.conversation, run=self.run, message=sent, key="of the world",
            text="x",
            options=[{"label": "a", "description": ""}, {"label": "b", "description": ""}],
            expires_at=self.now + timedelta(days=1),
        )  # fmt: skip
        return {
            "attachment_id": sent.attachments.get().pk,
            "picture_id": picture.pk,
            "question_id": question.pk,
        }


def make_approval(team: Team, conversation: Conversation) -> Approval:
    """Make one of no real kind that the member asked for, in a conversation the member is in."""
    return ask(
        Asker(
            team.organization.pk, agent_id=conversation.agent_id, conversation_id=conversation.pk,
            requester_user_id=team.member.user.pk,
        ),
        kind="nothing", action={"do": "nothing"}, origin_key="matrix", title="Nothing",
    )  # fmt: skip
