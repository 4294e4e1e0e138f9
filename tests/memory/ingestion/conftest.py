"""A team whose files are read here: a home of its own, and a scripted model for the pieces."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.actor import Actor
from accounts.models import Person
from accounts.services.people import person_for_user
from llm.clients import scripted
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from llm.services.routing import forget_routing
from llm.types import ChatRequest, UserMessage
from memory.ingestion import claims, folders, work
from memory.ingestion.services import Accepted, accept_upload
from memory.models import IngestedFile, Memory
from tests.factories import Team, make_team

MODEL = "ingestion-script"


@dataclass
class Desk:
    team: Team
    rivals: Team
    home: Path

    def use_model(self, script: scripted.Script | None = None) -> scripted.ScriptedModel:
        """Set a model up; without a script it notes one memory a line of the piece."""
        organization = self.team.organization
        provider, _ = Provider.objects.get_or_create(
            organization=organization, name="script", defaults={"kind": ProviderKind.SCRIPTED}
        )
        entry, _ = ModelEntry.objects.get_or_create(organization=organization, provider=provider, name=MODEL)
        Route.objects.get_or_create(organization=organization, process=Process.BRANCH, entry=entry)
        forget_routing(organization.pk)
        return scripted.install(MODEL, script or note_every_line)

    def upload(self, name: str, data: bytes | str, *, actor: Actor | None = None, **more: Any) -> Accepted:
        content = data.encode() if isinstance(data, str) else data
        return accept_upload(
            actor or self.team.moderator, self.team.agent.pk, name, io.BytesIO(content), **more
        )

    def drop(self, name: str, data: bytes | str, *, folder: str = "") -> Path:
        """Put a file into a drop folder."""
        place = self.home / "ingest" / (folder or f"acme.{self.team.agent.slug}")
        place.mkdir(parents=True, exist_ok=True)
        path = place / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def settle(self, *, rounds: int = 10) -> None:
        """Work as the jobs do, as if all waiting times and leases had passed."""
        for _ in range(rounds):
            self.pass_time()
            folders.take_dropped()
            due = claims.list_due()
            if not due:
                return
            for file_id in due:
                work.work_on(file_id)

    def work_once(self, file: IngestedFile) -> IngestedFile:
        work.work_on(file.pk)
        file.refresh_from_db()
        return file

    def pass_time(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        IngestedFile.objects.filter(not_before__isnull=False).update(not_before=past)
        IngestedFile.objects.filter(claimed_until__isnull=False).update(claimed_until=past)

    def person_of(self, actor: Actor) -> Person:
        return person_for_user(self.team.organization, actor.user)

    def memories(self) -> list[str]:
        rows = Memory.objects.filter(organization=self.team.organization, agent_id=self.team.agent.pk)
        return list(rows.order_by("id").values_list("content", flat=True))


def lines_of(request: ChatRequest) -> list[str]:
    """Return the lines of the piece in a request."""
    message = request.messages[-1]
    assert isinstance(message, UserMessage)
    return [line.strip() for line in message.text.split("\n\n", 1)[1].splitlines() if line.strip()]


def note_every_line(request: ChatRequest) -> scripted.Scripted:
    found = [{"type": "fact", "content": line[:500]} for line in lines_of(request)[:30]]
    return scripted.call("save_memories", memories=found)


@pytest.fixture
def desk(
    transactional_db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    settings.SPACEBOT_HOME = tmp_path
    monkeypatch.setattr(folders, "STABLE_S", 0.0)
    built = Desk(make_team("acme"), make_team("rivals"), tmp_path)
    yield built
    scripted.uninstall(MODEL)
