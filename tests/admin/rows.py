"""One row of every model, in one organization, with words that must not be read by its administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.utils import timezone

from accounts.models import ApiToken, Identity, Membership, Person, SignInLink
from accounts.services import audit
from agents.models import Checkpoint, Keeping, Prompt, Report, Run, RunInput, Step, ToolCall
from llm.models import LedgerEntry, ModelEntry, Provider, Route
from memory.models import Association, Consolidation, InboxItem, IngestedFile, Memory, MemoryEdit
from messaging.models import (
    Binding,
    Conversation,
    Delivery,
    Message,
    Participant,
    Reaction,
)
from realtime.models import Event, EventCounter
from secret_store.models import DataKey
from secret_store.services import set_secret
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
    make(RunInput, run=run, text=WHISPER, key=slug)
    make(Checkpoint, conversation=conversation, from_seq=1, to_seq=1, title=WHISPER, summary=WHISPER, run=run)
    make(Keeping, conversation=conversation)
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
    rows.append(set_secret(None, organization, name="VENDOR_KEY", value="sk-hidden-value-98765"))
    rows.append(audit.record(team.owner, organization, "test.row", "target"))
    return {type(row): row for row in rows}


def make_installation_rows(team: Team) -> list[Model]:
    """Return rows that belong to no organization: superusers alone may see them."""
    link = SignInLink.objects.create(
        user=team.member.user, digest=team.organization.slug, expires_at=timezone.now() + timedelta(hours=1)
    )
    counter, _ = EventCounter.objects.get_or_create(organization=team.organization)
    return [link, counter, DataKey.objects.earliest("pk")]
