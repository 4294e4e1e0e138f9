from __future__ import annotations

import base64
import ctypes
import os
import platform
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_django import Settings

from secret_store.errors import KeyUnavailable
from secret_store.keyring import KEY_NAME, find_in_keyring
from secret_store.master_key import home_key_path, load_master_key
from secret_store.models import DataKey
from secret_store.services import read_secret, set_secret
from tests.factories import Team

ADD_KEY = {"x86_64": 248, "aarch64": 217}
KEYCTL = {"x86_64": 250, "aarch64": 219}
THREAD_KEYRING = -1
KEYCTL_UNLINK = 9


@pytest.fixture
def keyring_key() -> Iterator[bytes]:
    """Put a key where only this thread finds it."""
    machine = platform.machine()
    if not sys.platform.startswith("linux") or machine not in ADD_KEY:
        pytest.skip("no kernel keyring on this system")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    key = os.urandom(32)
    keyring = ctypes.c_long(THREAD_KEYRING)
    serial = libc.syscall(
        ctypes.c_long(ADD_KEY[machine]), b"user", KEY_NAME.encode(), key, ctypes.c_long(len(key)), keyring
    )
    if serial < 0:
        pytest.skip("the kernel keyring is not available here")
    yield key
    libc.syscall(ctypes.c_long(KEYCTL[machine]), ctypes.c_long(KEYCTL_UNLINK), ctypes.c_long(serial), keyring)


def test_the_first_secret_makes_a_private_key_file(team: Team, home: Path) -> None:
    set_secret(None, team.organization, name="KEY", value="v")
    path = home / "config" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.b64decode(path.read_bytes())) == 32
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_reading_never_makes_a_key(home: Path) -> None:
    with pytest.raises(KeyUnavailable, match="missing"):
        load_master_key(create=False)
    assert not home_key_path().exists()


def test_a_lost_key_is_an_error_and_is_not_replaced(team: Team, home: Path) -> None:
    set_secret(None, team.organization, name="KEY", value="v")
    kept = home_key_path().read_bytes()
    home_key_path().unlink()
    with pytest.raises(KeyUnavailable, match="missing"):
        read_secret(team.organization.pk, "KEY")
    with pytest.raises(KeyUnavailable, match="missing"):
        set_secret(None, team.organization, name="OTHER", value="v")
    assert not home_key_path().exists()
    home_key_path().write_bytes(kept)
    assert read_secret(team.organization.pk, "KEY") == "v"


def test_another_key_is_an_error_that_names_both_and_changes_nothing(team: Team, home: Path) -> None:
    set_secret(None, team.organization, name="KEY", value="v")
    right = load_master_key(create=False)
    kept = home_key_path().read_bytes()
    home_key_path().write_bytes(base64.b64encode(os.urandom(32)))
    wrong = load_master_key(create=False)
    for act in (
        lambda: read_secret(team.organization.pk, "KEY"),
        lambda: set_secret(None, team.organization, name="KEY", value="new"),
    ):
        with pytest.raises(KeyUnavailable) as caught:
            act()
        assert right.fingerprint in str(caught.value)
        assert wrong.fingerprint in str(caught.value)
    home_key_path().write_bytes(kept)
    assert read_secret(team.organization.pk, "KEY") == "v"
    assert DataKey.objects.count() == 1


def test_an_altered_data_key_is_an_error(team: Team) -> None:
    set_secret(None, team.organization, name="KEY", value="v")
    DataKey.objects.update(wrapped=os.urandom(60))
    with pytest.raises(KeyUnavailable, match="altered"):
        read_secret(team.organization.pk, "KEY")


@pytest.mark.parametrize("encode", [bytes, base64.b64encode, lambda key: key.hex().encode() + b"\n"])
def test_the_named_file_comes_first_in_any_of_three_forms(
    tmp_path: Path, settings: Settings, encode: object, keyring_key: bytes
) -> None:
    key = os.urandom(32)
    path = tmp_path / "operator.key"
    path.write_bytes(encode(key))  # type: ignore[operator]
    settings.SPACEBOT_MASTER_KEY_FILE = str(path)
    assert load_master_key(create=True).key == key
    assert not home_key_path().exists()


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 31, base64.b64encode(b"y" * 16), b"\xff" * 64])
def test_a_useless_named_file_is_an_error_and_nothing_else_is_tried(
    tmp_path: Path, settings: Settings, content: bytes
) -> None:
    path = tmp_path / "operator.key"
    path.write_bytes(content)
    settings.SPACEBOT_MASTER_KEY_FILE = str(path)
    with pytest.raises(KeyUnavailable, match="32 bytes"):
        load_master_key(create=True)
    path.unlink()
    with pytest.raises(KeyUnavailable, match="missing"):
        load_master_key(create=True)
    assert not home_key_path().exists()


def test_the_keyring_comes_before_the_home(keyring_key: bytes, home: Path) -> None:
    found = load_master_key(create=True)
    assert (found.key, found.source) == (keyring_key, "the kernel keyring")
    assert not home_key_path().exists()


def test_a_key_that_nobody_put_there_is_not_found() -> None:
    assert find_in_keyring("spacebot-test-no-such-key") is None


def test_of_many_first_uses_at_once_one_key_stays(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_master_key(create=True).key, range(8)))
    assert len(set(keys)) == 1
    assert load_master_key(create=False).key == keys[0]


def test_a_home_that_cannot_be_written_is_a_clear_error(home: Path) -> None:
    (home / "config").write_text("in the way")
    with pytest.raises(KeyUnavailable, match="cannot be"):
        load_master_key(create=True)


def test_the_key_does_not_show_in_a_traceback(home: Path) -> None:
    found = load_master_key(create=True)
    assert found.key.hex() not in repr(found)
    assert repr(found.key) not in repr(found)
