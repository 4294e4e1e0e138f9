"""Changing keys while everything goes on: what was encrypted before stays readable until it is encrypted anew.

Each step is a transaction of its own, or one rename; a rotation that was killed is finished by calling it again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from accounts.actor import Actor
from accounts.boundaries import reach
from accounts.errors import Conflict
from secret_store.crypto import (
    FIRST_KEY_LOCK,
    binding,
    current_data_key,
    new_data_key,
    seal,
    unseal,
    unwrap,
    wrap,
)
from secret_store.errors import KeyUnavailable
from secret_store.master_key import (
    MasterKey,
    create_key,
    find_master_key,
    key_path,
    load_master_key,
    next_key_path,
    next_master_key,
)
from secret_store.models import DataKey, Secret
from secret_store.operators import check_operator, record

BATCH = 100
KEPT_AFTER = timedelta(hours=1)
"""A data key that nothing uses is kept so long: whoever read it as the newest may be about to use it."""


@dataclass(frozen=True)
class Keys:
    """The state of the keys. `behind` counts secrets that are not yet encrypted with the newest data key."""

    data_key: DataKey | None
    behind: int
    unfinished: bool


def look_at_keys() -> Keys:
    newest = DataKey.objects.order_by("-pk").first()
    behind = Secret.objects.exclude(data_key=newest).count() if newest else 0
    try:
        unfinished = next_master_key() is not None
    except KeyUnavailable:
        unfinished = False
    return Keys(newest, behind, unfinished)


def rotate_data_key(actor: Actor | None) -> int:
    """Make a new data key and encrypt every secret with it; return how many were. Secrets can be read all the while."""
    check_operator(actor)
    newest, _ = current_data_key()
    with transaction.atomic():
        _hold_keys()
        made = new_data_key(find_master_key(newest.master_fingerprint))
        record(actor, "secret.data_key_rotated", data_key=made.pk)
    reach("rotation.data_key_made")
    return rewrap()


def rewrap() -> int:
    """Encrypt what older data keys hold with the newest; return how many. Safe to call at any time, and twice."""
    newest, key = current_data_key()
    done = 0
    while count := _rewrap_batch(newest, key):
        done += count
        reach("rotation.batch")
    old = DataKey.objects.filter(pk__lt=newest.pk, secret=None, created_at__lt=timezone.now() - KEPT_AFTER)
    old.delete()
    return done


def _rewrap_batch(newest: DataKey, key: bytes) -> int:
    with transaction.atomic():
        rows = Secret.objects.select_for_update(of=("self",)).exclude(data_key=newest)
        batch = list(rows.select_related("data_key").order_by("pk")[:BATCH])
        old = {data_key: unwrap(data_key) for data_key in {secret.data_key for secret in batch}}
        for secret in batch:
            bound_to = binding(secret.organization_id, secret.agent_id, secret.name)
            value = unseal(old[secret.data_key], bytes(secret.nonce), bytes(secret.ciphertext), bound_to)
            nonce, ciphertext = seal(key, value, bound_to)
            Secret.objects.filter(pk=secret.pk).update(data_key=newest, nonce=nonce, ciphertext=ciphertext)
    return len(batch)


def rotate_master_key(actor: Actor | None) -> MasterKey:
    """Put a new master key in place of the one in use and return it.

    The new key is written beside the old one first, so that at any moment one of the two opens each data key. An operator
    whose key file cannot be written puts the next key beside it himself.
    """
    check_operator(actor)
    load_master_key(create=True)
    following = next_master_key() or _make_next()
    reach("rotation.next_written")
    with transaction.atomic():
        _hold_keys()
        for data_key in DataKey.objects.select_for_update().order_by("pk"):
            if data_key.master_fingerprint != following.fingerprint:
                key = unwrap(data_key)
                data_key.wrapped, data_key.master_fingerprint = wrap(following, key), following.fingerprint
                data_key.save(update_fields=["wrapped", "master_fingerprint"])
        record(actor, "secret.master_key_rotated", fingerprint=following.fingerprint)
    reach("rotation.rewrapped")
    _put_in_place()
    return following


def _make_next() -> MasterKey:
    path = next_key_path()
    if path is None:
        raise Conflict(
            "The master key is in the kernel keyring. Put the next one beside it under the name"
            " spacebot-master-key.next, then rotate."
        )
    create_key(path)
    made = next_master_key()
    assert made is not None
    return made


def _put_in_place() -> None:
    """Make the next key the one in use. In a keyring, and where the folder is read-only, that is the operator's."""
    current, following = key_path(), next_key_path()
    if current is None or following is None:
        return
    try:
        os.replace(following, current)
    except OSError as error:
        raise Conflict(
            f"All data keys are under the next master key now. Move {following} over {current}; this process may not"
            f" ({error.strerror}). Until then both are needed."
        ) from None


def _hold_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_KEY_LOCK])
