from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.errors import Conflict, Forbidden, InvalidInput
from secret_store import locking, rotation, shields
from secret_store.errors import VaultLocked
from secret_store.models import Vault
from secret_store.services import list_secrets, read_secret, set_secret
from secret_store.uses import tool_secrets
from tests.factories import Team

VALUE = "v4lue-of-the-deploy-key"
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def stored(team: Team) -> None:
    shields.forget()
    set_secret(team.admin, team.organization, name="DEPLOY_KEY", value=VALUE, category="tool")


def test_locked_nothing_is_read_or_written_but_names_are_shown(team: Team) -> None:
    assert locking.lock(None, PASSPHRASE)
    with pytest.raises(VaultLocked):
        read_secret(team.organization.pk, "DEPLOY_KEY")
    with pytest.raises(VaultLocked):
        set_secret(team.admin, team.organization, name="OTHER", value=VALUE)
    assert tool_secrets(team.organization.pk, team.agent.pk) == {}
    assert [secret.name for secret in list_secrets(team.admin)] == ["DEPLOY_KEY"]
    assert locking.locked_since() is not None


def test_the_key_leaves_the_disk_and_comes_back(team: Team, home: Path) -> None:
    key = (home / "config" / "master.key").read_bytes()
    locking.lock(None, PASSPHRASE)
    assert list((home / "config").iterdir()) == []
    assert key.strip() not in bytes(Vault.objects.get().sealed_master or b"")
    locking.unlock(None, PASSPHRASE)
    assert (home / "config" / "master.key").read_bytes() == key
    assert read_secret(team.organization.pk, "DEPLOY_KEY") == VALUE
    assert locking.locked_since() is None


def test_a_wrong_passphrase_changes_nothing(team: Team) -> None:
    locking.lock(None, PASSPHRASE)
    with pytest.raises(Forbidden):
        locking.unlock(None, "another passphrase")
    assert locking.locked_since() is not None
    with pytest.raises(InvalidInput):
        locking.lock(None, "short")


def test_locking_twice_keeps_the_first_lock_and_removes_a_key_that_was_left(team: Team, home: Path) -> None:
    key = (home / "config" / "master.key").read_bytes()
    locking.lock(None, PASSPHRASE)
    (home / "config" / "master.key").write_bytes(key)
    with pytest.raises(Forbidden):
        locking.lock(None, "another passphrase")
    assert locking.lock(None, PASSPHRASE)
    assert not (home / "config" / "master.key").exists()
    locking.unlock(None, PASSPHRASE)
    assert read_secret(team.organization.pk, "DEPLOY_KEY") == VALUE


def test_a_named_key_file_stays_and_must_be_the_right_one(
    team: Team, tmp_path: Path, settings: Settings
) -> None:
    file = tmp_path / "named.key"
    (tmp_path / "config" / "master.key").rename(file)
    settings.SPACEBOT_MASTER_KEY_FILE = str(file)
    assert not locking.lock(None, PASSPHRASE)
    content = file.read_bytes()
    file.write_text("cd" * 32)
    with pytest.raises(Conflict):
        locking.unlock(None, PASSPHRASE)
    file.write_bytes(content)
    locking.unlock(None, PASSPHRASE)
    assert read_secret(team.organization.pk, "DEPLOY_KEY") == VALUE


def test_only_an_operator_locks_and_an_unfinished_rotation_comes_first(team: Team, home: Path) -> None:
    with pytest.raises(Forbidden):
        locking.lock(team.owner, PASSPHRASE)
    with pytest.raises(Forbidden):
        locking.unlock(team.owner, PASSPHRASE)
    (home / "config" / "master.key.next").write_text("cd" * 32)
    with pytest.raises(Conflict):
        locking.lock(None, PASSPHRASE)
    rotation.rotate_master_key(None)
    assert locking.lock(None, PASSPHRASE)


def test_locked_the_shield_looks_for_patterns_and_says_so(team: Team) -> None:
    assert shields.look(team.organization.pk, team.agent.pk, mode=None).scrub(VALUE).hits
    locking.lock(None, PASSPHRASE)
    shield = shields.look(team.organization.pk, team.agent.pk, mode="own")
    assert "locked" in shield.blind
    assert shield.scrub(VALUE).text == VALUE
    assert shield.scrub("ghp_" + "a1B2c3D4e5" * 4).hits
    locking.unlock(None, PASSPHRASE)
    assert shields.look(team.organization.pk, team.agent.pk, mode="own").scrub(VALUE).hits
