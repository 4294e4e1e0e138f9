from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.errors import Forbidden
from accounts.models import AuditEvent
from secret_store import rotation
from secret_store.errors import KeyUnavailable
from secret_store.master_key import load_master_key
from secret_store.models import DataKey, Secret
from secret_store.services import read_secret, set_secret
from tests.factories import Team

VALUES = {f"KEY_{number}": f"value-{number}-of-many" for number in range(7)}


class Killed(BaseException):
    """What a killed process looks like from inside."""


@contextmanager
def killed_at(name: str, *, after: int = 1) -> Iterator[None]:
    """Die when a boundary is reached for the `after`th time."""
    seen = 0

    def die(reached: str) -> None:
        nonlocal seen
        seen += reached == name
        if reached == name and seen == after:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rotation, "reach", die)
        with pytest.raises(Killed):
            yield


@pytest.fixture
def stored(team: Team) -> Team:
    for name, value in VALUES.items():
        set_secret(team.admin, team.organization, name=name, value=value)
    return team


def read_all(team: Team) -> dict[str, str]:
    return {name: read_secret(team.organization.pk, name) for name in VALUES}


def test_a_new_data_key_takes_over_every_secret(stored: Team) -> None:
    old = DataKey.objects.get()
    before = bytes(Secret.objects.get(name="KEY_1").ciphertext)
    assert rotation.rotate_data_key(None) == len(VALUES)
    assert set(Secret.objects.values_list("data_key", flat=True)) == {DataKey.objects.latest("pk").pk}
    assert bytes(Secret.objects.get(name="KEY_1").ciphertext) != before
    assert read_all(stored) == VALUES
    assert DataKey.objects.filter(pk=old.pk).exists()
    DataKey.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert rotation.rewrap() == 0
    assert not DataKey.objects.filter(pk=old.pk).exists()


@pytest.mark.parametrize(
    ("boundary", "after"), [("rotation.data_key_made", 1), ("rotation.batch", 1), ("rotation.batch", 2)]
)
def test_a_killed_data_key_rotation_is_finished_by_the_next_call(
    stored: Team, monkeypatch: pytest.MonkeyPatch, boundary: str, after: int
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    with killed_at(boundary, after=after):
        rotation.rotate_data_key(None)
    assert read_all(stored) == VALUES
    assert rotation.look_at_keys().behind > 0
    rotation.rewrap()
    assert rotation.look_at_keys().behind == 0
    assert read_all(stored) == VALUES


def test_the_master_key_changes_and_everything_stays_readable(stored: Team, home: Path) -> None:
    old = load_master_key(create=False)
    made = rotation.rotate_master_key(None)
    assert load_master_key(create=False).fingerprint == made.fingerprint != old.fingerprint
    assert set(DataKey.objects.values_list("master_fingerprint", flat=True)) == {made.fingerprint}
    assert read_all(stored) == VALUES
    assert sorted(path.name for path in (home / "config").iterdir()) == ["master.key"]
    assert (home / "config" / "master.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("boundary", ["rotation.next_written", "rotation.rewrapped"])
def test_a_killed_master_key_rotation_leaves_all_readable_and_is_finished_by_the_next_call(
    stored: Team, boundary: str
) -> None:
    with killed_at(boundary):
        rotation.rotate_master_key(None)
    assert rotation.look_at_keys().unfinished
    assert read_all(stored) == VALUES
    set_secret(stored.admin, stored.organization, name="KEY_0", value=VALUES["KEY_0"])
    made = rotation.rotate_master_key(None)
    assert load_master_key(create=False).fingerprint == made.fingerprint
    assert not rotation.look_at_keys().unfinished
    assert read_all(stored) == VALUES


def test_a_named_key_file_is_rotated_where_it_is(team: Team, tmp_path: Path, settings: Settings) -> None:
    settings.SPACEBOT_MASTER_KEY_FILE = str(tmp_path / "elsewhere.key")
    (tmp_path / "elsewhere.key").write_text("ab" * 32)
    set_secret(team.admin, team.organization, name="KEY_1", value=VALUES["KEY_1"])
    made = rotation.rotate_master_key(None)
    assert load_master_key(create=False).fingerprint == made.fingerprint
    assert read_secret(team.organization.pk, "KEY_1") == VALUES["KEY_1"]


def test_a_third_key_opens_nothing(stored: Team, home: Path) -> None:
    (home / "config" / "master.key").write_text("cd" * 32)
    with pytest.raises(KeyUnavailable, match="not the one"):
        read_all(stored)


def test_only_an_operator_rotates_and_every_organization_can_see_it(stored: Team, rivals: Team) -> None:
    with pytest.raises(Forbidden):
        rotation.rotate_data_key(stored.owner)
    with pytest.raises(Forbidden):
        rotation.rotate_master_key(stored.owner)
    stored.owner.user.is_superuser = True
    rotation.rotate_data_key(stored.owner)
    events = AuditEvent.objects.filter(action="secret.data_key_rotated")
    assert {event.organization_id: event.actor_kind for event in events} == {
        stored.organization.pk: "user",
        rivals.organization.pk: "system",
    }
