"""Functions of higher packages, called after a change here is committed. The site fills the lists.

A hook must not raise: what it raises is logged, and the change stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import transaction

MembershipHook = Callable[[int, int], None]

on_membership_removed: list[MembershipHook] = []
"""Each is called with (organization_id, user_id) when the user may no longer act there."""

on_role_changed: list[MembershipHook] = []
"""Each is called with (organization_id, user_id): what the user may see has changed."""


def call_after_commit(hooks: list[MembershipHook], organization_id: int, user_id: int) -> None:
    for hook in hooks:
        transaction.on_commit(partial(hook, organization_id, user_id), robust=True)
