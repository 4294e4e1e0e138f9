from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.models import Agent
from memory.ingestion import folders, store
from memory.ingestion.folders import take_dropped
from memory.models import Audience, FileState, IngestedFile, Memory, Source
from tests.memory.ingestion.conftest import Desk


def test_a_dropped_file_becomes_memories_for_everyone(desk: Desk) -> None:
    desk.use_model()
    path = desk.drop("plans.txt", "The office moves to Ulm.")
    desk.settle()
    assert not path.exists()
    file = IngestedFile.objects.get()
    assert (file.state, file.name, file.uploaded_by, file.memories) == (FileState.DONE, "plans.txt", None, 1)
    memory = Memory.objects.get()
    assert (memory.organization, memory.agent_id) == (desk.team.organization, desk.team.agent.pk)
    assert (memory.source, memory.source_name, memory.trusted) == (Source.FILE, "plans.txt", False)
    assert memory.audience == Audience.ORGANIZATION


def test_a_file_is_taken_when_it_has_not_changed_for_two_seconds(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "STABLE_S", 2.0)

    def take_at(moment: float) -> int:
        monkeypatch.setattr(folders, "time", SimpleNamespace(time=lambda: moment))
        return take_dropped()

    path = desk.drop("a.txt", "first half")
    os.utime(path, (1, 1))  # An old modification time says nothing: it may have been copied along.
    first = path.stat().st_ctime
    assert take_at(first + 1.95) == 0
    time.sleep(0.2)
    path.write_text("both halves")
    second = path.stat().st_ctime
    assert take_at(first + 2.05) == take_at(second + 1.95) == 0
    assert take_at(second + 2.05) == 1
    assert IngestedFile.objects.get().size_bytes == len("both halves")


def test_the_folder_of_a_name_that_several_organizations_use_is_left_alone(desk: Desk) -> None:
    shared = desk.drop("a.txt", "x", folder=desk.team.agent.slug)
    assert take_dropped() == 0
    assert shared.exists()
    Agent.objects.filter(pk=desk.team.agent.pk).update(slug="only-ours")
    desk.drop("a.txt", "x", folder="only-ours")
    assert take_dropped() == 2  # Now each name means one agent.
    owners = set(IngestedFile.objects.values_list("organization__slug", flat=True))
    assert owners == {"acme", "rivals"}


def test_folders_without_an_agent_hidden_and_unfinished_files_and_links_are_left(desk: Desk) -> None:
    secret = desk.home / "secret.txt"
    secret.write_text("not for agents")
    kept = [desk.drop("a.txt", "x", folder="nobody"), desk.drop(".a.txt", "x"), desk.drop("a.txt.part", "x")]
    link = kept[1].parent / "link.txt"
    link.symlink_to(secret)
    os.mkfifo(kept[1].parent / "pipe.txt")
    (desk.home / "ingest" / "linked").symlink_to(kept[1].parent)
    assert take_dropped() == 0
    assert all(path.exists() for path in kept)
    assert not IngestedFile.objects.exists()


def test_without_a_folder_nothing_happens(desk: Desk) -> None:
    assert take_dropped() == 0


def test_the_same_content_dropped_again_is_not_read_twice(desk: Desk) -> None:
    model = desk.use_model()
    desk.drop("a.txt", "Ulm is a town.")
    desk.settle()
    again = desk.drop("b.txt", "Ulm is a town.")
    desk.settle()
    assert not again.exists()
    assert IngestedFile.objects.count() == 1
    assert len(model.requests) == 1


def test_what_is_too_large_is_shown_as_failed_and_put_aside(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_BYTES", 10)
    path = desk.drop("a.txt", "x" * 11)
    assert take_dropped() == 1
    assert take_dropped() == 0
    file = IngestedFile.objects.get()
    assert file.state == FileState.FAILED
    assert "larger than" in file.reason
    assert (path.parent / ".refused" / "a.txt").exists()


def test_a_kind_that_is_not_read_fails_visibly(desk: Desk) -> None:
    desk.drop("a.exe", "MZ")
    desk.settle()
    file = IngestedFile.objects.get()
    assert (file.state, file.tries) == (FileState.FAILED, 1)
    assert "not read" in file.reason


def test_a_file_that_changes_while_it_is_copied_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.drop("a.txt", "x")
    original = store.keep

    def slow(organization_id: int, stream: store.Stream) -> store.Stored:
        stored = original(organization_id, stream)
        with Path(path).open("a") as file:
            file.write("more")
        return stored

    monkeypatch.setattr(store, "keep", slow)
    assert take_dropped() == 0
    monkeypatch.setattr(store, "keep", original)
    assert take_dropped() == 1
    assert IngestedFile.objects.get().size_bytes == 5
