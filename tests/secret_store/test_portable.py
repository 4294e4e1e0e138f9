from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.actor import Actor
from accounts.errors import Forbidden, InvalidInput
from accounts.models import AuditEvent
from secret_store.models import Secret
from secret_store.passphrase import seal
from secret_store.portable import export_secrets, import_secrets
from secret_store.services import delete_secret, read_secret, set_secret
from tests.factories import Team

PASSPHRASE = "correct horse battery"
PASSWORD = "the owner's own password"


@pytest.fixture
def owner(team: Team) -> Actor:
    team.owner.user.set_password(PASSWORD)
    team.owner.user.save()
    return team.owner


def exported(owner: Actor) -> dict[str, Any]:
    return export_secrets(owner, passphrase=PASSPHRASE, password=PASSWORD)


@pytest.fixture
def stored(team: Team, owner: Actor) -> Team:
    set_secret(owner, team.organization, name="SHARED", value="shared-value-1", category="tool")
    set_secret(
        owner,
        team.organization,
        name="SHARED",
        value="own-value-2",
        category="tool",
        agent_id=team.agent.pk,
        origins=["https://Example.com:443/"],
    )
    return team


def test_what_was_exported_is_imported_elsewhere_whole(stored: Team, owner: Actor, rivals: Team) -> None:
    sealed = json.loads(json.dumps(exported(owner)))
    assert "shared-value" not in json.dumps(sealed)
    rivals.agent.slug = stored.agent.slug
    rivals.agent.save()
    done = import_secrets(rivals.admin, sealed, passphrase=PASSPHRASE)
    assert sorted(done.stored) == ["SHARED", "SHARED"]
    assert read_secret(rivals.organization.pk, "SHARED") == "shared-value-1"
    assert read_secret(rivals.organization.pk, "SHARED", agent_id=rivals.agent.pk) == "own-value-2"
    own = Secret.objects.get(organization=rivals.organization, agent_id=rivals.agent.pk)
    assert (own.category, own.origins) == ("tool", ["https://example.com"])
    assert AuditEvent.objects.filter(action="secret.imported", organization=rivals.organization).exists()
    assert AuditEvent.objects.get(action="secret.exported").detail == {"count": 2}


def test_what_exists_is_skipped_unless_it_is_to_be_overwritten(stored: Team, owner: Actor) -> None:
    sealed = exported(owner)
    set_secret(owner, stored.organization, name="SHARED", value="newer-value")
    delete_secret(owner, stored.organization, name="SHARED", agent_id=stored.agent.pk)
    done = import_secrets(owner, sealed, passphrase=PASSPHRASE)
    assert (done.stored, done.skipped) == (("SHARED",), ("SHARED",))
    assert read_secret(stored.organization.pk, "SHARED") == "newer-value"
    import_secrets(owner, sealed, passphrase=PASSPHRASE, overwrite=True)
    assert read_secret(stored.organization.pk, "SHARED") == "shared-value-1"


def test_an_export_needs_an_owner_and_their_password(stored: Team, owner: Actor) -> None:
    with pytest.raises(Forbidden, match="password is wrong"):
        export_secrets(owner, passphrase=PASSPHRASE, password="another")
    with pytest.raises(Forbidden, match="owner"):
        export_secrets(stored.admin, passphrase=PASSPHRASE, password=PASSWORD)
    stored.other_member.user.set_unusable_password()
    with pytest.raises(InvalidInput, match="at least 12"):
        export_secrets(owner, passphrase="short", password=PASSWORD)
    assert not AuditEvent.objects.filter(action="secret.exported").exists()


def test_an_altered_file_or_a_wrong_passphrase_stores_nothing(
    stored: Team, owner: Actor, rivals: Team
) -> None:
    sealed = exported(owner)
    with pytest.raises(Forbidden):
        import_secrets(rivals.owner, sealed, passphrase="wrong passphrase")
    for change in (
        {"version": 2},
        {"format": "spacebot master key"},
        {"salt": "!"},
        {"content": 7},
        {"kdf": {**sealed["kdf"], "memory_kib": 2**31}},
        {"kdf": {"name": "none"}},
        {"extra": 1},
    ):
        with pytest.raises(InvalidInput):
            import_secrets(rivals.owner, {**sealed, **change}, passphrase=PASSPHRASE)
    with pytest.raises(Forbidden):
        import_secrets(rivals.owner, {**sealed, "kdf": {**sealed["kdf"], "passes": 2}}, passphrase=PASSPHRASE)
    assert not Secret.objects.filter(organization=rivals.organization).exists()


@pytest.mark.parametrize(
    "row",
    [
        {"name": "LD_PRELOAD"},
        {"name": "lower"},
        {"value": ""},
        {"value": 7},
        {"category": "other"},
        {"agent": "nobody"},
        {"origins": ["ftp://example.com"]},
        {"origins": "https://example.com"},
        {"more": 1},
    ],
)
def test_one_bad_secret_refuses_the_whole_file(team: Team, row: dict[str, Any]) -> None:
    good = {"name": "GOOD", "category": "system", "agent": None, "origins": [], "value": "a-good-value"}
    bad = {**good, "name": "BAD", **row}
    sealed = seal(json.dumps({"secrets": [good, bad]}).encode(), PASSPHRASE, purpose="secrets")
    with pytest.raises(InvalidInput):
        import_secrets(team.admin, sealed, passphrase=PASSPHRASE)
    assert not Secret.objects.exists()


def test_members_import_nothing(team: Team) -> None:
    with pytest.raises(Forbidden):
        import_secrets(team.member, {}, passphrase=PASSPHRASE)
