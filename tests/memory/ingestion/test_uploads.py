from __future__ import annotations

import io

import pytest

from accounts.errors import Conflict, Forbidden, InvalidInput, NotFound
from accounts.models import AuditEvent, Person
from llm.clients.scripted import Scripted
from llm.types import ChatRequest
from memory.ingestion import queries, store, work
from memory.ingestion.services import accept_upload, clean_name, retry_file
from memory.models import FileState, IngestedChunk, IngestedFile
from memory.services.erasure import erase_person
from tests.memory.ingestion.conftest import Desk, note_every_line


def test_an_upload_is_stored_by_its_digest_and_queued(desk: Desk) -> None:
    accepted = desk.upload("../plans/Notes.md", "Ulm")
    file = accepted.file
    assert accepted.created
    assert (file.name, file.size_bytes, file.media_type) == ("Notes.md", 3, "text/markdown")
    assert (file.state, file.uploaded_by) == (FileState.QUEUED, desk.team.moderator.user)
    assert store.path_of(desk.team.organization.pk, file.digest).read_text() == "Ulm"
    assert AuditEvent.objects.filter(organization=desk.team.organization, action="memory.file_given").exists()


def test_members_may_not_upload(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.upload("a.txt", "x", actor=desk.team.member)
    assert not IngestedFile.objects.exists()


def test_another_team_cannot_give_our_agent_a_file(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.upload("a.txt", "x", actor=desk.rivals.owner)
    assert not (desk.home / "ingest").exists()


def test_the_same_content_again_is_known_already(desk: Desk) -> None:
    desk.use_model()
    first = desk.upload("a.txt", "Ulm is a town.")
    desk.settle()
    again = desk.upload("b.txt", "Ulm is a town.", actor=desk.team.admin)
    desk.settle()
    assert (again.created, again.file.pk, again.file.state) == (False, first.file.pk, FileState.DONE)
    assert desk.memories() == ["Ulm is a town."]


def test_the_same_content_for_another_audience_or_team_is_another_file(desk: Desk) -> None:
    ours = desk.upload("a.txt", "Ulm")
    mine = desk.upload("a.txt", "Ulm", audience="person")
    others = desk.upload("a.txt", "Ulm", actor=desk.team.admin, audience="person")
    theirs = accept_upload(desk.rivals.owner, desk.rivals.agent.pk, "a.txt", io.BytesIO(b"Ulm"))
    assert len({accepted.file.pk for accepted in (ours, mine, others, theirs)}) == 4
    assert all(accepted.created for accepted in (ours, mine, others, theirs))


def test_a_file_meant_for_one_person_shows_to_nobody_else(desk: Desk) -> None:
    mine = desk.upload("a.txt", "x", audience="person").file
    desk.upload("b.txt", "y")
    agent_id = desk.team.agent.pk

    def names(actor: object) -> list[str]:
        return [file.name for file in queries.list_files(actor, agent_id)]  # type: ignore[arg-type]

    assert names(desk.team.moderator) == ["b.txt", "a.txt"]
    assert names(desk.team.owner) == names(desk.team.member) == ["b.txt"]
    with pytest.raises(NotFound):
        queries.get_file(desk.team.owner, mine.pk, agent_id=agent_id)
    with pytest.raises(NotFound):
        queries.list_files(desk.rivals.owner, agent_id)


def test_what_is_too_large_or_never_read_is_refused_and_not_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_BYTES", 10)
    for name, data in (("a.txt", "x" * 11), ("a.exe", "x"), ("", "x"), ("a.txt", "")):
        with pytest.raises(InvalidInput):
            desk.upload(name, data)
    assert not IngestedFile.objects.exists()
    kept = [path for path in (desk.home / "ingest").rglob("*") if path.is_file() and path.stat().st_size]
    assert kept == []


def test_names_are_cleaned() -> None:
    assert clean_name("C:\\docs\\a\x00\n.txt") == "a.txt"
    assert len(clean_name("ü" * 400 + ".txt")) == 200
    for name in ("", "/", "..", "\n"):
        with pytest.raises(InvalidInput):
            clean_name(name)


def test_a_failed_file_is_tried_again_when_asked_or_given_again(desk: Desk) -> None:
    file = desk.upload("a.json", "{").file
    desk.settle()
    file.refresh_from_db()
    assert file.state == FileState.FAILED
    with pytest.raises(Forbidden):
        retry_file(desk.team.member, file.pk)
    with pytest.raises(NotFound):
        retry_file(desk.rivals.owner, file.pk)
    assert retry_file(desk.team.admin, file.pk).state == FileState.QUEUED
    with pytest.raises(Conflict):
        retry_file(desk.team.admin, file.pk)
    desk.settle()
    again = desk.upload("a.json", "{")
    assert (again.created, again.file.state, again.file.reason) == (False, FileState.QUEUED, "")


def test_files_for_one_person_go_when_the_person_is_erased(desk: Desk) -> None:
    organization = desk.team.organization
    mine = desk.upload("mine.txt", "Mona likes tea.", audience="person").file
    desk.upload("ours.txt", "The office is in Ulm.")
    shared = desk.upload("ours.txt", "The office is in Ulm.", audience="person").file
    desk.settle()  # Without a model: the pieces are cut and wait.
    person = Person.objects.get(organization=organization, user=desk.team.moderator.user)
    for files in (2, 0):
        result = erase_person(organization.pk, person.pk)
        assert (result.erased["files"], result.left["files"]) == (files, 0)
        assert result.is_complete
    assert list(IngestedFile.objects.values_list("name", "audience_person")) == [("ours.txt", None)]
    assert IngestedChunk.objects.count() == 1
    assert not store.path_of(organization.pk, mine.digest).exists()
    assert store.path_of(organization.pk, shared.digest).exists()


def test_a_file_erased_while_it_is_worked_on_teaches_nothing(desk: Desk) -> None:
    person = Person.objects.get(organization=desk.team.organization, user=desk.team.moderator.user)

    def erase(request: ChatRequest) -> Scripted:
        erase_person(desk.team.organization.pk, person.pk)
        return note_every_line(request)

    desk.use_model(erase)
    desk.upload("mine.txt", "Mona likes tea.", audience="person")
    desk.settle()
    assert desk.memories() == []


def test_the_store_is_swept_of_what_was_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.use_model()
    read = desk.upload("a.txt", "read").file
    desk.settle()
    waiting = desk.upload("b.txt", "waiting").file
    organization = desk.team.organization.pk
    assert work.sweep_store() == 0
    monkeypatch.setattr(store, "ORPHAN_AFTER_S", -1)
    assert work.sweep_store() == 1
    assert not store.path_of(organization, read.digest).exists()
    assert store.path_of(organization, waiting.digest).exists()
