"""Turning a platform account's row into an adapter, and telling when its connection must be made anew."""

from __future__ import annotations

import hashlib
import json
from functools import partial

from messaging.adapters.base import AccountConfig, Adapter
from messaging.adapters.registry import get_adapter_class
from messaging.models import PlatformAccount
from secret_store.errors import SecretNotFound
from secret_store.services import read_secret


def make_adapter(account: PlatformAccount) -> Adapter:
    """Build the account's adapter; secrets are read when the adapter asks for them."""
    return get_adapter_class(account.platform)(
        AccountConfig(
            account_id=account.pk,
            organization_id=account.organization_id,
            name=account.name,
            settings=dict(account.settings),
            read_secret=partial(
                read_secret, account.organization_id, purpose=f"platform account {account.name}"
            ),
        )
    )


def connection_fingerprint(account: PlatformAccount) -> str:
    """Return a digest of what the connection is made with: settings and secrets, never bindings.

    A setting `…_secret` names a secret, so a new value under the same name changes the digest as well.
    """
    wanted = sorted(get_adapter_class(account.platform).connection_settings)
    values: dict[str, object] = {name: account.settings.get(name) for name in wanted}
    for name in [name for name in wanted if name.endswith("_secret") and values[name]]:
        try:
            values[f"{name} value"] = read_secret(
                account.organization_id, str(values[name]), purpose=f"platform account {account.name}"
            )
        except SecretNotFound:
            values[f"{name} value"] = None
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
