"""One row of every model, in one organization, with words that must not be read by its administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import ApiToken, Identity, Membership, Person, SignInLink
from accounts.services import audit
from agents.models import (
    AgentLink,
    Autonomy,
    AutonomyRule,
    Breaker,
    Checkpoint,
    CortexJob,
    CortexLog,
    EgressRefusal,
    EgressRule,
    Halt,
    Keeping,
    McpServer,
    McpTool,
    Profile,
    Prompt,
    Question,
    Report,
    Run,
    RunInput,
    SandboxSetting,
    Step,
    Synthesis,
    ToolCall,
    ToolPolicy,
    WorkingEvent,
    WorkingState,
)
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from memory.models import Association, Consolidation, InboxItem, IngestedFile, Memory, MemoryEdit
from messaging.models import (
    Attachment,
    Binding,
    Conversation,
    Delivery,
    Message,
    Participant,
    Reaction,
)
from realtime.models import Event, EventCounter, Notice, NoticeSetting
from secret_store.models import DataKey, SecretUse, Vault
from secret_store.services import set_secret
from tasks.models import (
    Approval,
    ApprovalRule,
    Attempt,
    Decision,
    Firing,
    Goal,
    Grant,
    Schedule,
    Task,
    TaskComment,
    TaskCounter,
    TaskDependency,
    TaskRevision,
    Wake,
    WakeEvent,
    WakePayload,
)
from tests.factories import Team

WHISPER = "whispered-in-private"


def make_rows(team: Team) -> dict[type[Model], Model]:
    """Return a row per model that belongs to the team's organization."""
    rows = _Rows(team)
    for part in (
        rows.people, rows.models, rows.talk, rows.runs, rows.cortex, rows.reach, rows.approvals, rows.memories, rows.work,
        rows.schedules, rows.autonomy, rows.secrets,
    ):  # fmt: skip
        part()
    return {type(row): row for row in rows.rows}


class _Rows:
    """The rows made so far, and those that others hang on; the parts are made in their order."""

    conversation: Conversation
    message: Message
    run: Run

    def __init__(self, team: Team) -> None:
        self.team, self.organization = team, team.organization
        self.now, self.slug = timezone.now(), team.organization.slug
        self.person = Person.objects.get(organization=team.organization, user=team.member.user)
        self.rows: list[Model] = [
            team.organization,
            team.member.user,
            Membership.objects.get(user=team.member.user),
            self.person,
            team.agent,
            team.webchat,
        ]

    def make(self, model: type[Model], **fields: Any) -> Any:
        row = model._default_manager.create(organization=self.organization, **fields)
        self.rows.append(row)
        return row

    def people(self) -> None:
        """People, what they are told and what they hold."""
        self.make(
            Notice, user=self.team.member.user, kind="failure", key="x", title=WHISPER, text=WHISPER, created_at=self.now,
            updated_at=self.now,
        )  # fmt: skip
        self.make(AgentLink, first_user=self.team.member.user, second_agent=self.team.agent, pair="x")
        self.make(NoticeSetting, user=self.team.member.user, mailed_kinds=["failure"])
        self.make(Identity, person=self.person, platform="discord", external_id="7")
        self.make(
            ApiToken,
            user=self.team.member.user,
            name="laptop",
            prefix="sb_abcdef",
            digest=self.slug,
            scopes=["runs:read"],
        )

    def models(self) -> None:
        """Providers and what was spent on them."""
        provider = self.make(Provider, name="vendor", kind="openai_chat")
        entry = self.make(ModelEntry, provider=provider, name="large")
        self.make(Route, process="channel", entry=entry)
        self.make(
            LedgerEntry, requester_user=self.team.member.user, process="channel", provider_name="vendor",
            model_asked="large", outcome="succeeded",
        )  # fmt: skip

    def talk(self) -> None:
        """A private conversation with one message."""
        self.make(Binding, account=self.team.webchat, agent_id=self.team.agent.pk)
        self.conversation = self.make(
            Conversation,
            account=self.team.webchat,
            agent_id=self.team.agent.pk,
            kind="dm",
            external_id=self.slug,
            title=WHISPER,
        )
        self.make(Participant, conversation=self.conversation, person=self.person)
        self.message = self.make(
            Message, conversation=self.conversation, seq=1, direction="in", person=self.person, author_name="Mia",
            text=WHISPER, metadata={"was": WHISPER}, handling="answered",
        )  # fmt: skip
        self.make(Reaction, message=self.message, person=self.person, emoji="👍")
        self.make(
            Attachment, conversation=self.conversation, message=self.message, uploaded_by=self.person, name=WHISPER,
            media_type="text/plain",
            size_bytes=1, digest=self.slug, place=self.slug,
        )  # fmt: skip
        self.make(Delivery, message=self.message, text=WHISPER, key=self.slug)
        self.make(
            Event,
            number=1_000_000,
            kind="message.created",
            conversation_id=self.conversation.pk,
            payload={"text": WHISPER},
        )

    def runs(self) -> None:
        """A run with its step, call, question and report, and the server of a tool."""
        prompt = self.make(Prompt, digest=self.slug, system=[WHISPER], tools=[{"name": WHISPER}])
        self.run = self.make(
            Run, agent=self.team.agent, conversation=self.conversation, kind="worker", state="failed", title=WHISPER,
            input={"task": WHISPER}, result={"text": WHISPER}, failure={"safe": WHISPER}, status_text=WHISPER,
            cancel_reason=WHISPER, prompt=prompt, due_at=self.now, finished_at=self.now,
        )  # fmt: skip
        step = self.make(
            Step,
            run=self.run,
            number=1,
            added=[WHISPER],
            response={"text": WHISPER},
            started_at=self.now,
            finished_at=self.now,
        )
        self.make(
            ToolCall, run=self.run, step=step, position=0, call_id="1", name="write", arguments={"text": WHISPER},
            state="succeeded", key=self.slug, result=WHISPER, started_at=self.now,
        )  # fmt: skip
        self.make(
            Question, conversation=self.conversation, run=self.run, message=self.message, key=self.slug, text=WHISPER,
            state="answered",
            options=[{"label": WHISPER, "description": WHISPER}], answer={"text": WHISPER}, expires_at=self.now,
            closed_at=self.now,
        )  # fmt: skip
        self.make(RunInput, run=self.run, text=WHISPER, key=self.slug)
        self.make(
            Checkpoint,
            conversation=self.conversation,
            from_seq=1,
            to_seq=1,
            title=WHISPER,
            summary=WHISPER,
            run=self.run,
        )
        self.make(Keeping, conversation=self.conversation)
        server = self.make(
            McpServer, name="clock", transport="stdio", command="/usr/bin/true", kinds=["worker"]
        )
        self.make(McpTool, server=server, remote_name="now", local_name="clock__now", digest="0" * 64)
        self.make(Report, conversation=self.conversation, run=self.run, outcome="done", text=WHISPER)

    def cortex(self) -> None:
        """What the agent sums up and watches."""
        heard = {"agent": self.team.agent, "audience": "person", "audience_person": self.person}
        self.make(
            WorkingEvent, type="system", summary=WHISPER, detail=WHISPER, key=self.slug, day=self.now.date(), created_at=self.now,
            conversation=self.conversation, **heard,
        )  # fmt: skip
        self.make(
            Synthesis,
            kind="daily",
            day=self.now.date(),
            text=WHISPER,
            from_at=self.now,
            to_at=self.now,
            created_at=self.now,
            run=self.run,
            **heard,
        )
        self.make(WorkingState, run=self.run, **heard)
        self.make(CortexJob, agent=self.team.agent, name="upkeep", due_at=self.now)
        self.make(CortexLog, agent=self.team.agent, job="upkeep", event="done", text="Nothing to drop.")
        self.make(Breaker, agent=self.team.agent, tool="write_file", failures=1)
        self.make(
            Profile,
            agent=self.team.agent,
            display_name="Spacebot",
            status_line="Helps.",
            bio="I help.",
            made_at=self.now,
        )

    def reach(self) -> None:
        """What may be reached and used."""
        self.make(EgressRule, kind="allow", host="example.org")
        self.make(EgressRefusal, run=self.run, host="10.0.0.1", port=80, reason="private", last_at=self.now)
        self.make(ToolPolicy, tool="write_file", policy="allow")
        self.make(SandboxSetting, mode="auto", network="none")

    def approvals(self) -> None:
        """A decision, and what was allowed for longer."""
        asked = self.make(
            Approval, kind="tool_call", subject="write_file", conversation=self.conversation, run_id=self.run.pk,
            origin_key=self.slug,
            action={"arguments": {"content": WHISPER}}, digest=self.slug, title=WHISPER, why=WHISPER, reason=WHISPER,
            preview=[{"label": WHISPER, "form": "text", "text": WHISPER}],
            discussion=[{"user_id": 1, "name": WHISPER, "kind": "answer", "text": WHISPER, "at": self.now.isoformat()}],
            result=WHISPER, minimum_role="moderator",
            expires_at=self.now, state="rejected",
        )  # fmt: skip
        self.make(
            Decision,
            approval=asked,
            user=self.team.moderator.user,
            verdict="reject",
            comment=WHISPER,
            at=self.now,
        )
        self.make(
            Grant, agent_id=self.team.agent.pk, subject="write_file", constraint={"path": {"is": WHISPER}},
            given_by=self.team.owner.user, ends_at=self.now, approval=asked,
        )  # fmt: skip
        self.make(ApprovalRule, subject="write_file")

    def memories(self) -> None:
        """Memories with all that hangs on them."""
        said = {
            "agent_id": self.team.agent.pk, "type": "fact", "importance": 0.5, "audience": "person",
            "audience_person": self.person,
            "created_at": self.now, "updated_at": self.now, "valid_from": self.now, "conversation": self.conversation,
            "message": self.message,
        }  # fmt: skip
        memory = Memory.objects.create(
            organization=self.organization, content=f"also {WHISPER}", digest="other", **said
        )
        newest = self.make(Memory, content=WHISPER, digest=self.slug, source_name=WHISPER, **said)
        self.make(Association, source=memory, target=newest, relation="related_to")
        self.make(MemoryEdit, memory=newest, action="edited", before={"content": WHISPER}, reason=WHISPER)
        self.make(InboxItem, agent_id=self.team.agent.pk, kind="merge", first=memory, second=newest)
        self.make(Consolidation, survivor=newest, before={"survivor": {"content": WHISPER}, "absorbed": []})
        self.make(
            IngestedFile, agent_id=self.team.agent.pk, name=WHISPER, digest=self.slug, size_bytes=1, media_type="text/plain",
            state="failed", reason=WHISPER, notice=WHISPER, audience_person=self.person,
        )  # fmt: skip

    def work(self) -> None:
        """A goal and its tasks."""
        goal = self.make(Goal, title=WHISPER, description=WHISPER, notes=WHISPER, status="active")
        said_there = {
            "title": WHISPER,
            "description": WHISPER,
            "created_by_kind": "agent",
            "conversation": self.conversation,
        }
        first = self.make(Task, number=1_001, state="done", completed_at=self.now, **said_there)
        task = self.make(
            Task, number=1_000, goal=goal, state="blocked", subtasks=[{"title": WHISPER, "done": False}],
            metadata={"was": WHISPER}, blocked_reason=WHISPER, decision_note=WHISPER, audience="conversation", **said_there,
        )  # fmt: skip
        self.make(TaskDependency, task=task, needs=first)
        self.make(
            TaskRevision,
            task=task,
            number=1,
            snapshot={"title": WHISPER},
            summary=WHISPER,
            author_kind="agent",
        )
        self.make(TaskComment, task=task, text=WHISPER, author_kind="agent")
        self.make(
            Attempt, task=task, number=1, agent_id=self.team.agent.pk, run_id=self.run.pk, revision=1, outcome="failed",
            summary=WHISPER, ended_at=self.now,
        )  # fmt: skip

    def schedules(self) -> None:
        """A schedule that has fired."""
        schedule = self.make(
            Schedule, conversation=self.conversation, agent_id=self.team.agent.pk, owner=self.team.member.user, name=WHISPER,
            prompt=WHISPER, kind="once", once_at=self.now, time_zone="UTC", state="finished", stopped_reason=WHISPER,
        )  # fmt: skip
        self.make(
            Firing, schedule=schedule, due_at=self.now, decision="fired", execution="failed", message=self.message,
            outcome=WHISPER, failure=WHISPER, decided_at=self.now, finished_at=self.now,
        )  # fmt: skip

    def autonomy(self) -> None:
        """What an agent does by itself."""
        self.make(AutonomyRule)
        self.make(Autonomy, agent=self.team.agent)
        self.make(Halt, agent=self.team.agent, by=self.team.admin.user, asked_at=self.now)
        wake = self.make(
            Wake,
            agent_id=self.team.agent.pk,
            name="Orders",
            trigger="webhook",
            token_digest=f"digest of {self.slug}",
        )
        rung = self.make(
            WakeEvent, wake=wake, agent_id=self.team.agent.pk, first_at=self.now, last_at=self.now
        )
        self.make(WakePayload, event=rung, payload={"order": 7}, from_outside=True, created_at=self.now)

    def secrets(self) -> None:
        """A secret and its use, and the trail."""
        secret = set_secret(None, self.organization, name="VENDOR_KEY", value="sk-hidden-value-98765")
        self.rows.append(secret)
        self.make(SecretUse, secret=secret, purpose="handed to a tool", first_at=self.now, last_at=self.now)
        self.rows.append(audit.record(self.team.owner, self.organization, "test.row", "target"))


def make_installation_rows(team: Team) -> list[Model]:
    """Return rows that belong to no organization: superusers alone may see them."""
    link = SignInLink.objects.create(
        user=team.member.user, digest=team.organization.slug, expires_at=timezone.now() + timedelta(hours=1)
    )
    counter, _ = EventCounter.objects.get_or_create(organization=team.organization)
    tasks, _ = TaskCounter.objects.get_or_create(organization=team.organization)
    vault, _ = Vault.objects.get_or_create(pk=1)
    return [link, counter, tasks, DataKey.objects.earliest("pk"), vault]
