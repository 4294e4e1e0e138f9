"""The page of files that agents learn from, and entering a memory by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import AuditEvent, Person
from memory import types
from memory.ingestion import claims, services
from memory.models import IngestedFile, Memory, Source
from memory.services.saving import save_memory
from memory.types import Provenance
from realtime.models import Event
from tests.factories import Team
from tests.web.conftest import SignIn

PAGE = "/memory/files/"


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.SPACEBOT_HOME, settings.SPACEBOT_EMBEDDER = tmp_path, "hashing"


def give(client: Any, *names: str, **form: str) -> str:
    files = [SimpleUploadedFile(name, f"the words of {name}".encode()) for name in names]
    return str(client.post(PAGE, {"files": files, **form}, follow=True).content.decode())


def taught(file: IngestedFile, content: str) -> Memory:
    saved = save_memory(
        organization_id=file.organization_id,
        agent_id=file.agent_id,
        type="fact",
        content=content,
        heard_by=types.ORGANIZATION,
        provenance=Provenance(source=Source.FILE, source_name=file.name, trusted=False, file_id=file.pk),
    )
    assert saved.memory is not None
    return saved.memory


def test_files_are_given_shown_and_known_again(team: Team, sign_in: SignIn) -> None:
    shown = give(sign_in(team.moderator), "a.txt", "b.md")
    assert "a.txt is being learned" in shown
    assert "Waits for its turn" in shown
    assert "Learning needs a model" in shown
    assert "known already" in give(sign_in(team.moderator), "a.txt")
    assert IngestedFile.objects.count() == 2


def test_one_that_is_refused_does_not_keep_out_the_others(team: Team, sign_in: SignIn) -> None:
    shown = give(sign_in(team.moderator), "evil.exe", "a.txt")
    assert "evil.exe: Files like this are not read" in shown
    assert IngestedFile.objects.get().name == "a.txt"


def test_a_file_kept_to_oneself_is_nobody_elses_and_its_events_too(team: Team, sign_in: SignIn) -> None:
    give(sign_in(team.moderator), "mine.txt", audience="person")
    assert "mine.txt" not in sign_in(team.owner).get(PAGE).content.decode()
    assert "mine.txt" in sign_in(team.moderator).get(PAGE).content.decode()
    events = Event.objects.filter(kind="ingestion.changed")
    assert set(events.values_list("user_id", flat=True)) == {team.moderator.user.pk}


def test_members_look_and_do_not_give(team: Team, sign_in: SignIn) -> None:
    give(sign_in(team.moderator), "a.txt")
    shown = sign_in(team.member).get(PAGE).content.decode()
    assert "a.txt" in shown
    assert 'id="give"' not in shown
    give(sign_in(team.member), "b.txt")
    assert not IngestedFile.objects.filter(name="b.txt").exists()


def test_how_far_it_is_shows_and_is_told(team: Team, sign_in: SignIn) -> None:
    give(sign_in(team.moderator), "a.txt")
    held = claims.claim(IngestedFile.objects.get().pk)
    assert held is not None
    held.write(state="extracting", chunks_total=4)
    held.write(chunks_done=1)
    shown = sign_in(team.member).get(PAGE).content.decode()
    assert "1 of 4 pieces" in shown
    assert '<progress class="bar" max="4" value="1"' in shown
    claims.fail(held, "The page is torn.")
    assert "The page is torn." in sign_in(team.member).get(PAGE).content.decode()
    states = [
        event.payload["state"] for event in Event.objects.filter(kind="ingestion.changed").order_by("id")
    ]
    assert states == ["queued", "extracting", "failed"]


def test_what_a_file_taught_is_found_by_file_and_forgotten_with_it(team: Team, sign_in: SignIn) -> None:
    give(sign_in(team.moderator), "a.txt", "b.txt")
    first, second = IngestedFile.objects.order_by("name")
    known, other = taught(first, "The office closes at six."), taught(second, "The roof is green.")
    listed = sign_in(team.member).get(f"/memory/?file={first.pk}").content.decode()
    assert "closes at six" in listed
    assert "roof" not in listed
    client = sign_in(team.moderator)
    for _ in range(2):
        client.post(PAGE, {"act": "forget", "file": str(first.pk), "agent": str(team.agent.pk)})
    known.refresh_from_db()
    other.refresh_from_db()
    assert known.forgotten_at is not None
    assert other.forgotten_at is None
    assert not IngestedFile.objects.filter(pk=first.pk).exists()
    assert AuditEvent.objects.filter(action="memory.file_forgotten").count() == 1


def test_a_worker_whose_file_is_forgotten_stops(team: Team, sign_in: SignIn) -> None:
    give(sign_in(team.moderator), "a.txt")
    file = IngestedFile.objects.get()
    held = claims.claim(file.pk)
    assert held is not None
    services.forget_file(team.moderator, team.agent.pk, file.pk)
    with pytest.raises(claims.Lost):
        held.write(chunks_done=1)


def test_a_memory_is_entered_by_hand_once(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.moderator)
    form = {
        "agent": team.agent.pk,
        "type": "fact",
        "content": "The office closes at six.",
        "audience": "person",
    }
    assert client.post("/memory/new/", form).status_code == 302
    memory = Memory.objects.get()
    assert memory.audience_person == Person.objects.get(user=team.moderator.user)
    client.post("/memory/new/", form)
    assert Memory.objects.count() == 1
    refused = client.post("/memory/new/", {**form, "content": " "}).content.decode()
    assert 'role="alert"' in refused
    assert Memory.objects.count() == 1
