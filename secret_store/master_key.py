"""Find the master key: the file an operator named, else the kernel keyring, else a file in the home.

The first source that has a key decides. A key that is there but useless is an error, not a reason to look
further: another key would only hide the mistake.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from secret_store.errors import KeyUnavailable
from secret_store.keyring import KEY_NAME, KeyringRefused, find_in_keyring

KEY_BYTES = 32


@dataclass(frozen=True)
class MasterKey:
    key: bytes
    source: str

    def __repr__(self) -> str:
        return f"<MasterKey {self.fingerprint} from {self.source}>"

    @property
    def fingerprint(self) -> str:
        """Tell keys apart without telling the key."""
        return hashlib.sha256(b"spacebot master key\x00" + self.key).hexdigest()[:16]


def load_master_key(*, create: bool) -> MasterKey:
    """Return the key; with `create` and none anywhere, make the file in the home.

    Raises KeyUnavailable, with what to mend.
    """
    named: str = settings.SPACEBOT_MASTER_KEY_FILE
    if named:
        return _from_file(Path(named).expanduser(), "SPACEBOT_MASTER_KEY_FILE")
    try:
        found = find_in_keyring()
    except KeyringRefused as error:
        raise KeyUnavailable(f"The master key in the kernel keyring cannot be read ({error}).") from None
    if found is not None:
        return MasterKey(_decode(found, "the kernel keyring"), "the kernel keyring")
    path = home_key_path()
    if create and not path.exists():
        create_key(path)
    return _from_file(path, str(path))


def find_master_key(fingerprint: str) -> MasterKey:
    """Return the key of this fingerprint: the one in use, or the one that is about to follow it (see `rotation`).

    Raises KeyUnavailable when neither is it.
    """
    current = load_master_key(create=False)
    if current.fingerprint == fingerprint:
        return current
    for key in (next_master_key(), load_master_key(create=False)):
        # Looked at again in the end: the next key may just have become the one in use.
        if key is not None and key.fingerprint == fingerprint:
            return key
    raise KeyUnavailable(
        f"The master key from {current.source} ({current.fingerprint}) is not the one the secrets were"
        f" encrypted with ({fingerprint}). Put the right key back; nothing was changed."
    )


def next_master_key() -> MasterKey | None:
    """Return the key that an unfinished rotation, or an operator, has put beside the one in use."""
    path = next_key_path()
    if path is None:
        try:
            found = find_in_keyring(f"{KEY_NAME}.next")
        except KeyringRefused as error:
            raise KeyUnavailable(f"The next master key cannot be read ({error}).") from None
        return MasterKey(_decode(found, "the kernel keyring"), "the kernel keyring") if found else None
    return _from_file(path, str(path)) if path.exists() else None


def key_path() -> Path | None:
    """Return the file of the key in use; None when it is in the kernel keyring."""
    named: str = settings.SPACEBOT_MASTER_KEY_FILE
    if named:
        return Path(named).expanduser()
    return None if find_in_keyring() is not None else home_key_path()


def next_key_path() -> Path | None:
    path = key_path()
    return path.with_name(f"{path.name}.next") if path else None


def home_key_path() -> Path:
    return Path(settings.SPACEBOT_HOME) / "config" / "master.key"


def _from_file(path: Path, source: str) -> MasterKey:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyUnavailable(
            f"The master key is missing: {path} does not exist."
            " Put it back; stored secrets cannot be read without it."
        ) from None
    except OSError as error:
        raise KeyUnavailable(f"The master key {path} cannot be read: {error.strerror}.") from None
    return MasterKey(_decode(content, source), source)


def _decode(content: bytes, source: str) -> bytes:
    """Accept 32 raw bytes, or their base64 or hexadecimal form."""
    if len(content) == KEY_BYTES:
        return content
    text = content.strip()
    decoders = (bytes.fromhex, base64.b64decode) if len(text) == 2 * KEY_BYTES else (base64.b64decode,)
    for decode in decoders:
        try:
            key = decode(text.decode("ascii"))
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise KeyUnavailable(f"The master key from {source} is not 32 bytes (raw, base64 or hexadecimal).")


def create_key(path: Path, key: bytes | None = None) -> None:
    """Write a key, a new one without `key`, whole or not at all; of two at once, the first one's stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(key or secrets.token_bytes(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise KeyUnavailable(f"The master key {path} cannot be written: {error.strerror}.") from None
