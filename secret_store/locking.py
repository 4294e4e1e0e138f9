"""Locking all secrets of the installation: nothing is read or written until they are unlocked.

The master key goes under a passphrase into the database, and its file in the home is taken away: from then on neither a copy
of the disk nor one of the database tells a secret. A key in a named file or in the keyring is the operator's to take away.
"""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.errors import Conflict
from secret_store.master_key import create_key, home_key_path, key_path, load_master_key, next_master_key
from secret_store.models import DataKey, Vault
from secret_store.operators import check_operator, on_change, record
from secret_store.passphrase import check_passphrase, seal, unseal

PURPOSE = "master key"


def locked_since() -> datetime | None:
    """Return since when the secrets are locked; None while they are open."""
    row = Vault.objects.first()
    return row.locked_at if row else None


def lock(actor: Actor | None, passphrase: str) -> bool:
    """Lock; return whether the key is gone from this machine's disk too. Locking what is locked changes nothing."""
    check_operator(actor)
    check_passphrase(passphrase)
    if next_master_key() is not None:
        raise Conflict("A rotation of the master key is not finished. Rotate again, then lock.")
    with transaction.atomic():
        vault, _ = Vault.objects.select_for_update().get_or_create(pk=1)
        if vault.locked_at is None:
            master = load_master_key(create=True)
            sealed = seal(master.key, passphrase, purpose=PURPOSE)
            vault.locked_at, vault.sealed_master = timezone.now(), json.dumps(sealed).encode()
            vault.save()
            record(actor, "secret.locked")
        else:
            unseal(json.loads(bytes(vault.sealed_master or b"null")), passphrase, purpose=PURPOSE)
    path = key_path()
    if path == home_key_path():
        path.unlink(missing_ok=True)
    _tell()
    return path == home_key_path()


def unlock(actor: Actor | None, passphrase: str) -> None:
    """Unlock, putting the key's file back if it was taken away. Raises Forbidden for a wrong passphrase."""
    check_operator(actor)
    with transaction.atomic():
        vault = Vault.objects.select_for_update().filter(locked_at__isnull=False).first()
        if vault is None:
            return
        key = unseal(json.loads(bytes(vault.sealed_master or b"null")), passphrase, purpose=PURPOSE)
        path = key_path()
        if path is not None and not path.exists():
            create_key(path, key)
        _check_opens(load_master_key(create=False).fingerprint)
        vault.locked_at = vault.sealed_master = None
        vault.save()
        record(actor, "secret.unlocked")
    _tell()


def _check_opens(fingerprint: str) -> None:
    if DataKey.objects.exclude(master_fingerprint=fingerprint).exists():
        raise Conflict(
            "The master key that is in place now is another one. Put the right key back, then unlock."
        )


def _tell() -> None:
    for hook in on_change:
        hook()
