from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from agents.models import Agent
from secret_store.models import Secret
from secret_store.services import read_secret, set_secret
from tests.factories import Team
from tests.web.conftest import SignIn

PASSPHRASE, PASSWORD = "correct horse battery", "the owner's own password"


@pytest.fixture
def page(team: Team, sign_in: SignIn) -> Client:
    team.owner.user.set_password(PASSWORD)
    team.owner.user.save()
    return sign_in(team.owner)


def test_an_agents_value_is_stored_shown_as_a_shadow_and_never_told(team: Team, page: Client) -> None:
    for agent in ("", str(team.agent.pk)):
        page.post(
            "/settings/secrets/",
            {"name": "KEY", "value": f"a-long-value-{agent}", "category": "tool", "agent": agent},
        )
    read_secret(team.organization.pk, "KEY", purpose="a look")
    shown = page.get("/settings/secrets/").content.decode()
    assert "in place of the shared one" in shown
    assert "a-long-value" not in shown
    own = Secret.objects.get(agent_id=None)
    detail = page.get(f"/settings/secrets/{own.pk}/").content.decode()
    assert "a look" in detail
    page.post("/settings/secrets/", {"act": "delete", "name": "KEY", "agent": str(team.agent.pk)})
    assert [secret.agent_id for secret in Secret.objects.all()] == [None]


def test_an_export_comes_as_a_file_after_the_password_and_is_imported(team: Team, page: Client) -> None:
    set_secret(None, team.organization, name="KEY", value="a-long-value")
    refused = page.post("/settings/secrets/", {"act": "export", "passphrase": PASSPHRASE, "password": "x"})
    assert refused.status_code == 302
    response: Any = page.post(
        "/settings/secrets/", {"act": "export", "passphrase": PASSPHRASE, "password": PASSWORD}
    )
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Cache-Control"] == "no-store"
    Secret.objects.all().delete()
    file = SimpleUploadedFile("s.json", json.dumps(response.json()).encode())
    page.post("/settings/secrets/", {"act": "import", "passphrase": PASSPHRASE, "file": file})
    assert read_secret(team.organization.pk, "KEY") == "a-long-value"


def test_keys_and_the_lock_are_an_operators(team: Team, page: Client) -> None:
    set_secret(None, team.organization, name="KEY", value="a-long-value")
    assert "New master key" not in page.get("/settings/secrets/").content.decode()
    page.post("/settings/secrets/", {"act": "lock", "passphrase": PASSPHRASE})
    assert read_secret(team.organization.pk, "KEY") == "a-long-value"
    team.owner.user.is_superuser = True
    team.owner.user.save()
    assert "New master key" in page.get("/settings/secrets/").content.decode()
    page.post("/settings/secrets/", {"act": "rotate_master"})
    page.post("/settings/secrets/", {"act": "rotate_data"})
    page.post("/settings/secrets/", {"act": "lock", "passphrase": PASSPHRASE})
    assert "Locked since" in page.get("/settings/secrets/").content.decode()
    page.post("/settings/secrets/", {"act": "unlock", "passphrase": PASSPHRASE})
    assert read_secret(team.organization.pk, "KEY") == "a-long-value"


def test_the_agents_page_sets_what_is_taken_out_and_limits_leave_it(team: Team, page: Client) -> None:
    address = f"/agents/{team.agent.slug}/"
    page.post(address, {"act": "scrubbing", "scrubbing": "own"})
    page.post(address, {"act": "limits", "worker_limit_s": "60"})
    assert Agent.objects.get(pk=team.agent.pk).settings == {"scrubbing": "own", "worker_limit_s": 60}


def test_the_agents_page_sets_its_coding_agent_and_says_why_none_can_work(
    team: Team, page: Client, settings: Any
) -> None:
    address = f"/agents/{team.agent.slug}/"
    settings.SPACEBOT_OPENCODE = "/nowhere/opencode"
    page.post(address, {"act": "coding", "coding": "opencode"})
    assert Agent.objects.get(pk=team.agent.pk).settings["coding"] == "opencode"
    assert "/nowhere/opencode, which is no program" in page.get(address).content.decode()
    page.post(address, {"act": "coding", "coding": "nonsense"})
    assert Agent.objects.get(pk=team.agent.pk).settings["coding"] == "opencode"
