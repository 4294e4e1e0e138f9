"""AES-256-GCM, and the data key that the master key wraps."""

from __future__ import annotations

import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, transaction

from secret_store.errors import KeyUnavailable
from secret_store.master_key import KEY_BYTES, MasterKey, load_master_key
from secret_store.models import DataKey

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
    """Return the key itself. Raises KeyUnavailable when the master key is missing or another one."""
    master = load_master_key(create=False)
    _check_fingerprint(master, data_key)
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
        nonce = os.urandom(NONCE_BYTES)
        wrapped = nonce + AESGCM(master.key).encrypt(nonce, os.urandom(KEY_BYTES), WRAP_PURPOSE)
        return DataKey.objects.create(wrapped=wrapped, master_fingerprint=master.fingerprint)


def _check_fingerprint(master: MasterKey, data_key: DataKey) -> None:
    if master.fingerprint != data_key.master_fingerprint:
        raise KeyUnavailable(
            f"The master key from {master.source} ({master.fingerprint}) is not the one the secrets were"
            f" encrypted with ({data_key.master_fingerprint}). Put the right key back; nothing was changed."
        )
