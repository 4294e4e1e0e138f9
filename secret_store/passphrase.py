"""Sealing under a passphrase: Argon2id makes the key, AES-256-GCM seals, and the header is bound to the content.

Stored and exported data carries its own parameters and a version, so that these can be raised later.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts.errors import Forbidden, InvalidInput

VERSION = 1
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 1
MOST_MEMORY_KIB, MOST_PASSES, MOST_LANES = 1024 * 1024, 10, 16
SHORTEST = 12


def check_passphrase(passphrase: str) -> str:
    """Return it, or raise InvalidInput when it is too short to protect anything."""
    if len(passphrase) < SHORTEST:
        raise InvalidInput(f"The passphrase needs at least {SHORTEST} characters.", field="passphrase")
    if len(passphrase) > 1_000:
        raise InvalidInput("The passphrase may have at most 1,000 characters.", field="passphrase")
    return passphrase


def seal(content: bytes, passphrase: str, *, purpose: str) -> dict[str, Any]:
    """Return a JSON object that only the passphrase opens."""
    check_passphrase(passphrase)
    header = {
        "format": f"spacebot {purpose}",
        "version": VERSION,
        "kdf": {"name": "argon2id", "memory_kib": MEMORY_KIB, "passes": PASSES, "lanes": LANES},
        "cipher": "aes-256-gcm",
        "salt": _text(os.urandom(16)),
        "nonce": _text(os.urandom(12)),
    }
    key = _key(passphrase, header)
    return {
        **header,
        "content": _text(AESGCM(key).encrypt(_bytes(header, "nonce"), content, _bound(header))),
    }


def unseal(sealed: Any, passphrase: str, *, purpose: str) -> bytes:
    """Return the content. Raises InvalidInput for what is not in this format, Forbidden for a wrong passphrase."""
    if not isinstance(sealed, dict) or sealed.get("format") != f"spacebot {purpose}":
        raise InvalidInput(f"This is not a {purpose} of Spacebot.", field="file")
    if sealed.get("version") != VERSION:
        raise InvalidInput(f"This is of version {sealed.get('version')!r}; known is {VERSION}.", field="file")
    header = {name: value for name, value in sealed.items() if name != "content"}
    if set(header) != {"format", "version", "kdf", "cipher", "salt", "nonce"}:
        raise InvalidInput("The header is not as it should be.", field="file")
    try:
        return AESGCM(_key(passphrase, header)).decrypt(
            _bytes(header, "nonce"), _bytes(sealed, "content"), _bound(header)
        )
    except InvalidTag:
        raise Forbidden("The passphrase is wrong, or the content was altered.") from None


def _key(passphrase: str, header: dict[str, Any]) -> bytes:
    kdf = header["kdf"]
    limits = {"memory_kib": (8 * 1024, MOST_MEMORY_KIB), "passes": (1, MOST_PASSES), "lanes": (1, MOST_LANES)}
    if not isinstance(kdf, dict) or kdf.get("name") != "argon2id" or set(kdf) != {"name", *limits}:
        raise InvalidInput("The key derivation is unknown.", field="file")
    for name, (low, high) in limits.items():
        if not isinstance(kdf[name], int) or not low <= kdf[name] <= high:
            raise InvalidInput(f"{name} must be from {low} to {high}.", field="file")
    salt = _bytes(header, "salt")
    if len(salt) != 16 or len(_bytes(header, "nonce")) != 12:
        raise InvalidInput("The header is not as it should be.", field="file")
    return hash_secret_raw(
        passphrase.encode(),
        salt,
        time_cost=kdf["passes"],
        memory_cost=kdf["memory_kib"],
        parallelism=kdf["lanes"],
        hash_len=32,
        type=Type.ID,
    )


def _bound(header: dict[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(form: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(form.get(name) or "", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise InvalidInput(f"{name} is not base64.", field="file") from None
