"""AES-256-GCM, and the data key that the master key wraps."""

from __future__ import annotations

import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from secret_store.errors import KeyUnavailable, VaultLocked
from secret_store.master_key import KEY_BYTES, MasterKey, find_master_key, load_master_key
from secret_store.models import DataKey, Vault

NONCE_BYTES = 12
WRAP_PURPOSE = b"spacebot data key"
FIRST_KEY_LOCK = 0x5BAC_E001


def binding(organization_id: int, agent_id: int | None, name: str) -> bytes:
    """Return what ties a ciphertext to its row, so that it opens nowhere else."""
    return json.dumps(["spacebot secret", organization_id, agent_id, name]).encode()


def seal(key: bytes, value: str, bound_to: bytes) -> tuple[bytes, bytes]:
    """Return a fresh nonce and the ciphertext."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce, AESGCM(key).encrypt(nonce, value.encode(), bound_to)


def unseal(key: bytes, nonce: bytes, ciphertext: bytes, bound_to: bytes) -> str:
    """Raises KeyUnavailable when the ciphertext was altered, moved, or made with another key."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound_to).decode()
    except InvalidTag:
        raise KeyUnavailable("A stored secret cannot be decrypted: it was altered or moved.") from None


def unwrap(data_key: DataKey) -> bytes:
    """Return the key itself. Raises KeyUnavailable when the master key is missing or another one, or all is locked."""
    if Vault.objects.filter(locked_at__isnull=False).exists():
        raise VaultLocked
    master = find_master_key(data_key.master_fingerprint)
    wrapped = bytes(data_key.wrapped)
    try:
        return AESGCM(master.key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], WRAP_PURPOSE)
    except InvalidTag:
        raise KeyUnavailable("The stored data key was altered and cannot be unwrapped.") from None


def current_data_key() -> tuple[DataKey, bytes]:
    """Return the newest data key, to encrypt with; made at first use, as the master key may be.

    A master key is made only while nothing depends on one: with data keys stored, a missing master key
    raises KeyUnavailable.
    """
    newest = DataKey.objects.order_by("-pk").first()
    if newest is None:
        newest = _create_first()
    return newest, unwrap(newest)


def _create_first() -> DataKey:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_KEY_LOCK])
        newest = DataKey.objects.order_by("-pk").first()
        if newest is not None:
            return newest
        master = load_master_key(create=True)
        return new_data_key(master)


def new_data_key(master: MasterKey) -> DataKey:
    """Make a data key; what is stored from now on is encrypted with it."""
    return DataKey.objects.create(
        wrapped=wrap(master, os.urandom(KEY_BYTES)), master_fingerprint=master.fingerprint
    )


def wrap(master: MasterKey, key: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(master.key).encrypt(nonce, key, WRAP_PURPOSE)
