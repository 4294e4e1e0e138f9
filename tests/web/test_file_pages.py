"""The page of files: who may give them, how far they are in words, and taking them away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.actor import Actor
from accounts.services.people import person_for_user
from memory import types
from memory.ingestion.work import NEEDS_MODEL
from memory.models import FileState, IngestedFile, Memory
from memory.services.saving import save_memory
from tests.factories import Team
from tests.web.conftest import SignIn
from tests.web.test_memory_pages import read


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"
    settings.SPACEBOT_HOME = tmp_path


def give(
    client: Client, team: Team, name: str, content: bytes = b"words", audience: str = "organization"
) -> str:
    form = {"agent": team.agent.pk, "audience": audience, "file": SimpleUploadedFile(name, content)}
    return client.post("/memory/files/", form, follow=True).content.decode()


def known_file(team: Team, *, owner: Actor | None = None, **fields: Any) -> IngestedFile:
    given = {
        "name": "handbook.pdf", "digest": "d", "size_bytes": 2_048, "media_type": "application/pdf", "state": "done",
        **fields,
    }  # fmt: skip
    person = person_for_user(team.organization, owner.user) if owner else None
    return IngestedFile.objects.create(
        organization=team.organization, agent_id=team.agent.pk, audience_person=person, **given
    )


def test_a_moderator_gives_a_file_that_is_known_the_second_time(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.moderator)
    assert "No files yet" in read(client, "/memory/files/")
    assert "plan.md waits for its turn" in give(client, team, "plan.md")
    assert "was given before" in give(client, team, "other.md")
    assert "Waits for its turn" in read(client, "/memory/files/")


LARGE = b"x" * (20 * 1024 * 1024 + 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("a.exe", b"x", "not read"), ("a.txt", b"", "is empty"), ("a.txt", LARGE, "larger than 20 MB")],
    ids=["format", "empty", "large"],
)
def test_what_cannot_be_taken_is_refused_in_plain_words(
    team: Team, sign_in: SignIn, name: str, content: bytes, words: str
) -> None:
    page = give(sign_in(team.moderator), team, name, content)
    assert "notice-bad" in page
    assert words in page
    assert not IngestedFile.objects.exists()


def test_a_form_without_file_or_audience_keeps_nothing(team: Team, sign_in: SignIn) -> None:
    client = sign_in(team.moderator)
    assert (
        "Choose a file first"
        in client.post(
            "/memory/files/", {"agent": team.agent.pk, "audience": "person"}, follow=True
        ).content.decode()
    )
    assert "Choose who may hear" in give(client, team, "a.txt", audience="everyone")
    assert not IngestedFile.objects.exists()


def test_members_see_files_and_are_told_who_gives_them(team: Team, rivals: Team, sign_in: SignIn) -> None:
    known_file(team)
    known_file(rivals, name="elsewhere.pdf")
    mine = known_file(team, owner=team.moderator, name="diary.pdf")
    page = read(sign_in(team.member), "/memory/files/")
    assert "handbook.pdf" in page
    assert "Moderators give files" in page
    assert 'type="file"' not in page
    assert "diary.pdf" not in page
    assert "elsewhere.pdf" not in page
    assert sign_in(team.owner).get(f"/memory/files/{mine.pk}/").status_code == 404
    give(sign_in(team.member), team, "a.txt")
    assert IngestedFile.objects.count() == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "extracting", "chunks_total": 4, "chunks_done": 1}, ["Being read", "1 of 4 pieces", 'value="1"']),
        ({"state": "extracting", "chunks_total": 1, "reason": NEEDS_MODEL}, ["Waits for a model", "An administrator adds one"]),
        ({"state": "failed", "reason": "It holds no text."}, ["Failed", "It holds no text."]),
        ({"notice": "Page 3 could not be read."}, ["Page 3 could not be read."]),
        ({"memories": 1}, ["1 memory"]),
    ],
)  # fmt: skip
def test_a_line_says_how_far_a_file_is(
    team: Team, sign_in: SignIn, fields: dict[str, Any], words: list[str]
) -> None:
    known_file(team, **fields)
    page = read(sign_in(team.moderator), "/memory/files/")
    for each in words:
        assert each in page


def test_an_administrator_is_led_to_the_models(team: Team, sign_in: SignIn) -> None:
    file = known_file(team, state="extracting", chunks_total=1, reason=NEEDS_MODEL)
    line = read(sign_in(team.admin), f"/memory/files/{file.pk}/?part=row")
    assert 'href="/settings/models/"' in line
    assert "<html" not in line


def test_the_list_keeps_a_state_and_goes_on(
    team: Team, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spacebot_site.web.memory_files.PAGE", 1)
    old = known_file(team, digest="1", name="old.pdf")
    new = known_file(team, digest="2", name="new.pdf", state="failed")
    client = sign_in(team.member)
    assert "old.pdf" not in read(client, "/memory/files/")
    assert "old.pdf" in read(client, f"/memory/files/?before={new.pk}")
    assert "new.pdf" not in read(client, "/memory/files/?state=done")
    assert "No such files" in read(client, "/memory/files/?state=open")
    assert old.name in read(client, "/memory/files/?state=nonsense&before=x&agent=x&before=" + str(new.pk))


def test_a_failed_file_is_tried_again_once(team: Team, sign_in: SignIn) -> None:
    file = known_file(team, state="failed", chunks_total=2)
    client = sign_in(team.moderator)
    path = f"/memory/files/{file.pk}/"
    assert "is tried again" in client.post(path, {"act": "retry"}, follow=True).content.decode()
    file.refresh_from_db()
    assert file.state == FileState.EXTRACTING
    assert "Only a file that failed" in client.post(path, {"act": "retry"}, follow=True).content.decode()
    assert "no such action" in client.post(path, {"act": "x"}, follow=True).content.decode()


def teach(team: Team, file: IngestedFile, content: str) -> Memory:
    provenance = types.Provenance(
        source="file", source_name="handbook.pdf, page 2", trusted=False, file_id=file.pk
    )
    saved = save_memory(
        organization_id=team.organization.pk, agent_id=team.agent.pk, type="fact", content=content,
        heard_by=types.ORGANIZATION, provenance=provenance,
    )  # fmt: skip
    assert saved.memory is not None
    return saved.memory


def test_what_a_file_taught_leads_to_it_and_back(team: Team, sign_in: SignIn) -> None:
    file = known_file(team, memories=1)
    memory = teach(team, file, "The office is in Ulm.")
    client = sign_in(team.member)
    page = read(client, f"/memory/?file={file.pk}")
    assert memory.content in page
    assert f'href="/memory/files/{file.pk}/"' in page
    assert memory.content in read(client, f"/memory/files/{file.pk}/")
    assert memory.content not in read(client, "/memory/?file=999999")


def test_removing_asks_first_and_forgets_only_when_told(team: Team, sign_in: SignIn) -> None:
    file = known_file(team, memories=1)
    memory = teach(team, file, "The office is in Ulm.")
    path = f"/memory/files/{file.pk}/"
    assert "moderators remove it" in read(sign_in(team.member), f"{path}?part=remove")
    client = sign_in(team.moderator)
    assert "taught 1 memory" in read(client, f"{path}?part=remove")
    gone = client.post(path, {"act": "remove", "forget": "1"}, follow=True).content.decode()
    assert "1 memory was forgotten" in gone
    memory.refresh_from_db()
    assert memory.forgotten_at is not None
    assert client.post(path, {"act": "remove"}).status_code == 404
