"""The kinds of things that need a person, and what each can do; filled by higher packages when the site is wired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tasks.models import Approval

Part = dict[str, str]
"""A piece of a preview: `label`, `form` ("text", "diff" or "note") and `text`."""


def hold_conversation(approval: Approval) -> None:
    """Lock what stands before the approval in the order of locks: its conversation."""
    if approval.conversation_id is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "select 1 from messaging_conversation where id = %s for no key update",
                [approval.conversation_id],
            )


def _nothing(approval: Approval) -> None:
    """Nobody has to be told."""


def _never(approval: Approval) -> bool:
    return False


def _as_shown(approval: Approval) -> Sequence[Part]:
    parts: list[Part] = approval.preview
    return parts


@dataclass(frozen=True)
class Executor:
    """What a kind can do. Every function is called with the approval's row held, inside a unit of work, but `describe`.

    `check` raises ActionChanged when what `execute` would do is not what the digest covers. `execute` does it and
    returns what was done, in a sentence. `told` is called after each change of state. `waits` says that the asker
    runs the action itself and only has to be woken. `hold` takes the locks that come before the approval's own.
    `describe` returns what would happen if it happened now. `choices` are what an approval may
    choose beside.
    """

    label: str
    check: Callable[[Approval], None]
    execute: Callable[[Approval], str]
    describe: Callable[[Approval], Sequence[Part]] = _as_shown
    told: Callable[[Approval], None] = _nothing
    waits: Callable[[Approval], bool] = _never
    hold: Callable[[Approval], None] = hold_conversation
    icon: str = "shield-check"
    choices: tuple[str, ...] = ()


_executors: dict[str, Executor] = {}


def register(kind: str, executor: Executor) -> None:
    """Say what a kind can do; the last one counts."""
    _executors[kind] = executor


def executor_for(kind: str) -> Executor:
    """Return what the kind can do; one that nobody registered can do nothing."""
    return _executors.get(kind, UNKNOWN)


def labels() -> dict[str, str]:
    return {kind: executor.label for kind, executor in _executors.items()}


def _refuse(approval: Approval) -> Any:
    from tasks.services.approvals.errors import ActionChanged

    raise ActionChanged(f"nothing here can do what a {approval.kind} asks for")


UNKNOWN = Executor(label="Unknown", check=_refuse, execute=_refuse)
