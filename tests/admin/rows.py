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
    organization, now, slug = team.organization, timezone.now(), team.organization.slug
    person = Person.objects.get(organization=organization, user=team.member.user)
    rows: list[Model] = [
        organization,
        team.member.user,
        Membership.objects.get(user=team.member.user),
        person,
        team.agent,
        team.webchat,
    ]

    def make(model: type[Model], **fields: Any) -> Any:
        row = model._default_manager.create(organization=organization, **fields)
        rows.append(row)
        return row

    make(
        Notice, user=team.member.user, kind="failure", key="x", title=WHISPER, text=WHISPER, created_at=now,
        updated_at=now,
    )  # fmt: skip
    make(AgentLink, first_user=team.member.user, second_agent=team.agent, pair="x")
    make(NoticeSetting, user=team.member.user, mailed_kinds=["failure"])
    make(Identity, person=person, platform="discord", external_id="7")
    make(
        ApiToken, user=team.member.user, name="laptop", prefix="sb_abcdef", digest=slug, scopes=["runs:read"]
    )
    provider = make(Provider, name="vendor", kind="openai_chat")
    entry = make(ModelEntry, provider=provider, name="large")
    make(Route, process="channel", entry=entry)
    make(
        LedgerEntry, requester_user=team.member.user, process="channel", provider_name="vendor",
        model_asked="large", outcome="succeeded",
    )  # fmt: skip
    make(Binding, account=team.webchat, agent_id=team.agent.pk)
    conversation = make(
        Conversation, account=team.webchat, agent_id=team.agent.pk, kind="dm", external_id=slug, title=WHISPER
    )
    make(Participant, conversation=conversation, person=person)
    message = make(
        Message, conversation=conversation, seq=1, direction="in", person=person, author_name="Mia",
        text=WHISPER, metadata={"was": WHISPER}, handling="answered",
    )  # fmt: skip
    make(Reaction, message=message, person=person, emoji="👍")
    make(
        Attachment, conversation=conversation, message=message, uploaded_by=person, name=WHISPER, media_type="text/plain",
        size_bytes=1, digest=slug, place=slug,
    )  # fmt: skip
    make(Delivery, message=message, text=WHISPER, key=slug)
    make(
        Event,
        number=1_000_000,
        kind="message.created",
        conversation_id=conversation.pk,
        payload={"text": WHISPER},
    )
    prompt = make(Prompt, digest=slug, system=[WHISPER], tools=[{"name": WHISPER}])
    run = make(
        Run, agent=team.agent, conversation=conversation, kind="worker", state="failed", title=WHISPER,
        input={"task": WHISPER}, result={"text": WHISPER}, failure={"safe": WHISPER}, status_text=WHISPER,
        cancel_reason=WHISPER, prompt=prompt, due_at=now, finished_at=now,
    )  # fmt: skip
    step = make(
        Step, run=run, number=1, added=[WHISPER], response={"text": WHISPER}, started_at=now, finished_at=now
    )
    make(
        ToolCall, run=run, step=step, position=0, call_id="1", name="write", arguments={"text": WHISPER},
        state="succeeded", key=slug, result=WHISPER, started_at=now,
    )  # fmt: skip
    make(
        Question, conversation=conversation, run=run, message=message, key=slug, text=WHISPER, state="answered",
        options=[{"label": WHISPER, "description": WHISPER}], answer={"text": WHISPER}, expires_at=now, closed_at=now,
    )  # fmt: skip
    make(RunInput, run=run, text=WHISPER, key=slug)
    make(Checkpoint, conversation=conversation, from_seq=1, to_seq=1, title=WHISPER, summary=WHISPER, run=run)
    make(Keeping, conversation=conversation)
    server = make(McpServer, name="clock", transport="stdio", command="/usr/bin/true", kinds=["worker"])
    make(McpTool, server=server, remote_name="now", local_name="clock__now", digest="0" * 64)
    heard = {"agent": team.agent, "audience": "person", "audience_person": person}
    make(
        WorkingEvent, type="system", summary=WHISPER, detail=WHISPER, key=slug, day=now.date(), created_at=now,
        conversation=conversation, **heard,
    )  # fmt: skip
    make(
        Synthesis,
        kind="daily",
        day=now.date(),
        text=WHISPER,
        from_at=now,
        to_at=now,
        created_at=now,
        run=run,
        **heard,
    )
    make(WorkingState, run=run, **heard)
    make(CortexJob, agent=team.agent, name="upkeep", due_at=now)
    make(CortexLog, agent=team.agent, job="upkeep", event="done", text="Nothing to drop.")
    make(Breaker, agent=team.agent, tool="write_file", failures=1)
    make(Profile, agent=team.agent, display_name="Spacebot", status_line="Helps.", bio="I help.", made_at=now)
    make(EgressRule, kind="allow", host="example.org")
    make(EgressRefusal, run=run, host="10.0.0.1", port=80, reason="private", last_at=now)
    make(ToolPolicy, tool="write_file", policy="allow")
    make(SandboxSetting, mode="auto", network="none")
    asked = make(
        Approval, kind="tool_call", subject="write_file", conversation=conversation, run_id=run.pk, origin_key=slug,
        action={"arguments": {"content": WHISPER}}, digest=slug, title=WHISPER, why=WHISPER, reason=WHISPER,
        preview=[{"label": WHISPER, "form": "text", "text": WHISPER}],
        discussion=[{"user_id": 1, "name": WHISPER, "kind": "answer", "text": WHISPER, "at": now.isoformat()}],
        result=WHISPER, minimum_role="moderator",
        expires_at=now, state="rejected",
    )  # fmt: skip
    make(Decision, approval=asked, user=team.moderator.user, verdict="reject", comment=WHISPER, at=now)
    make(
        Grant, agent_id=team.agent.pk, subject="write_file", constraint={"path": {"is": WHISPER}},
        given_by=team.owner.user, ends_at=now, approval=asked,
    )  # fmt: skip
    make(ApprovalRule, subject="write_file")
    make(Report, conversation=conversation, run=run, outcome="done", text=WHISPER)
    said = {
        "agent_id": team.agent.pk, "type": "fact", "importance": 0.5, "audience": "person", "audience_person": person,
        "created_at": now, "updated_at": now, "valid_from": now, "conversation": conversation, "message": message,
    }  # fmt: skip
    memory = Memory.objects.create(
        organization=organization, content=f"also {WHISPER}", digest="other", **said
    )
    newest = make(Memory, content=WHISPER, digest=slug, source_name=WHISPER, **said)
    make(Association, source=memory, target=newest, relation="related_to")
    make(MemoryEdit, memory=newest, action="edited", before={"content": WHISPER}, reason=WHISPER)
    make(InboxItem, agent_id=team.agent.pk, kind="merge", first=memory, second=newest)
    make(Consolidation, survivor=newest, before={"survivor": {"content": WHISPER}, "absorbed": []})
    make(
        IngestedFile, agent_id=team.agent.pk, name=WHISPER, digest=slug, size_bytes=1, media_type="text/plain",
        state="failed", reason=WHISPER, notice=WHISPER, audience_person=person,
    )  # fmt: skip
    goal = make(Goal, title=WHISPER, description=WHISPER, notes=WHISPER, status="active")
    said_there = {
        "title": WHISPER,
        "description": WHISPER,
        "created_by_kind": "agent",
        "conversation": conversation,
    }
    first = make(Task, number=1_001, state="done", completed_at=now, **said_there)
    task = make(
        Task, number=1_000, goal=goal, state="blocked", subtasks=[{"title": WHISPER, "done": False}],
        metadata={"was": WHISPER}, blocked_reason=WHISPER, decision_note=WHISPER, audience="conversation", **said_there,
    )  # fmt: skip
    make(TaskDependency, task=task, needs=first)
    make(TaskRevision, task=task, number=1, snapshot={"title": WHISPER}, summary=WHISPER, author_kind="agent")
    make(TaskComment, task=task, text=WHISPER, author_kind="agent")
    make(
        Attempt, task=task, number=1, agent_id=team.agent.pk, run_id=run.pk, revision=1, outcome="failed",
        summary=WHISPER, ended_at=now,
    )  # fmt: skip
    schedule = make(
        Schedule, conversation=conversation, agent_id=team.agent.pk, owner=team.member.user, name=WHISPER,
        prompt=WHISPER, kind="once", once_at=now, time_zone="UTC", state="finished", stopped_reason=WHISPER,
    )  # fmt: skip
    make(
        Firing, schedule=schedule, due_at=now, decision="fired", execution="failed", message=message,
        outcome=WHISPER, failure=WHISPER, decided_at=now, finished_at=now,
    )  # fmt: skip
    make(AutonomyRule)
    make(Autonomy, agent=team.agent)
    make(Halt, agent=team.agent, by=team.admin.user, asked_at=now)
    wake = make(
        Wake, agent_id=team.agent.pk, name="Orders", trigger="webhook", token_digest=f"digest of {slug}"
    )
    rung = make(WakeEvent, wake=wake, agent_id=team.agent.pk, first_at=now, last_at=now)
    make(WakePayload, event=rung, payload={"order": 7}, from_outside=True, created_at=now)
    secret = set_secret(None, organization, name="VENDOR_KEY", value="sk-hidden-value-98765")
    rows.append(secret)
    make(SecretUse, secret=secret, purpose="handed to a tool", first_at=now, last_at=now)
    rows.append(audit.record(team.owner, organization, "test.row", "target"))
    return {type(row): row for row in rows}


def make_installation_rows(team: Team) -> list[Model]:
    """Return rows that belong to no organization: superusers alone may see them."""
    link = SignInLink.objects.create(
        user=team.member.user, digest=team.organization.slug, expires_at=timezone.now() + timedelta(hours=1)
    )
    counter, _ = EventCounter.objects.get_or_create(organization=team.organization)
    tasks, _ = TaskCounter.objects.get_or_create(organization=team.organization)
    vault, _ = Vault.objects.get_or_create(pk=1)
    return [link, counter, tasks, DataKey.objects.earliest("pk"), vault]
