"""Giving an agent a file in a real browser: it is chosen, given, watched, and forgotten with what it taught."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from memory.ingestion import claims
from memory.models import IngestedFile, Memory
from memory.services.saving import save_memory
from memory.types import ORGANIZATION, Provenance
from realtime.services import unit_of_work
from tests.browser.conftest import OpenAs, check_accessible
from tests.browser.test_access import check_fits
from tests.factories import Team


@pytest.fixture(autouse=True)
def _hashing(settings: Any) -> None:
    settings.SPACEBOT_EMBEDDER = "hashing"


def chosen(name: str, size: int = 20) -> dict[str, Any]:
    return {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}


def learn(file: IngestedFile, content: str) -> Memory:
    saved = save_memory(
        organization_id=file.organization_id,
        agent_id=file.agent_id,
        type="fact",
        content=content,
        heard_by=ORGANIZATION,
        provenance=Provenance(source="file", source_name=file.name, trusted=False, file_id=file.pk),
    )
    assert saved.memory is not None
    return saved.memory


def test_a_file_is_given_watched_and_forgotten(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.moderator, "/memory/files/")
    expect(page.get_by_text("No files yet")).to_be_visible()
    page.locator("#files").set_input_files(chosen("handbook.txt"))
    expect(page.locator("#files-chosen")).to_have_text("handbook.txt")
    page.get_by_role("button", name="Give").click()
    line = page.locator(".file")
    expect(line).to_contain_text("Waits for its turn")
    check_accessible(page)
    file = IngestedFile.objects.get()
    held = claims.claim(file.pk)
    assert held is not None
    held.write(state="extracting", chunks_total=4)
    expect(line).to_contain_text("0 of 4 pieces")
    memory = learn(file, "The office closes at six.")
    with unit_of_work():
        held.write(chunks_done=4, memories=1)
    expect(line).to_contain_text("4 of 4 pieces")
    claims.finish(held)
    expect(line).to_contain_text("Learned")
    line.get_by_role("link", name="1 memory").click()
    expect(page.get_by_text("The office closes at six.")).to_be_visible()
    page.go_back()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget handbook.txt").click()
    expect(page.get_by_text("No files yet")).to_be_visible()
    memory.refresh_from_db()
    assert memory.forgotten_at is not None


def test_what_is_too_large_is_said_before_it_is_sent(team: Team, open_as: OpenAs) -> None:
    page = open_as(team.moderator, "/memory/files/")
    page.locator("#files").set_input_files(chosen("large.txt", 21 * 1024 * 1024))
    expect(page.locator("#files-chosen")).to_have_text("large.txt is larger than 20 MB.")
    page.get_by_role("button", name="Give").click()
    assert not IngestedFile.objects.exists()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_accessible(scheme: str, team: Team, open_as: OpenAs) -> None:
    for state, reason in (("failed", "It holds no text."), ("extracting", ""), ("done", "")):
        IngestedFile.objects.create(
            organization=team.organization, agent_id=team.agent.pk, name=f"{state}-with-a-rather-long-name.txt",
            digest=state, size_bytes=1200, media_type="text/plain", state=state, reason=reason, chunks_total=9,
            chunks_done=4, memories=12,
        )  # fmt: skip
    page = open_as(team.moderator, "/memory/files/", width=360, height=740, scheme=scheme)
    check_fits(page)
    check_accessible(page)
    page.goto("/memory/new/")
    check_fits(page)
    check_accessible(page)
