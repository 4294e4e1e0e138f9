"""The keys of all secrets: their state, new ones, lock and unlock. A passphrase is asked for, or read from standard input."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import AccountsError
from secret_store import locking, rotation

ACTS = ("status", "rotate-data-key", "rotate-master-key", "lock", "unlock")


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=ACTS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(self._done(options["act"]))
        except AccountsError as error:
            raise CommandError(str(error)) from None

    def _done(self, act: str) -> str:
        if act == "rotate-data-key":
            return f"{rotation.rotate_data_key(None)} secrets are under a new data key."
        if act == "rotate-master-key":
            made = rotation.rotate_master_key(None)
            return f"The master key {made.fingerprint} is in place. Back it up: the one before opens nothing any more."
        if act == "lock":
            gone = locking.lock(None, _passphrase())
            return (
                "Locked." if gone else "Locked. The master key is still in its file or keyring: take it away."
            )
        if act == "unlock":
            locking.unlock(None, _passphrase())
            return "The secrets can be read again."
        keys, since = rotation.look_at_keys(), locking.locked_since()
        state = f"locked since {since:%Y-%m-%d %H:%M} UTC" if since else "open"
        unfinished = "; a rotation of the master key is not finished" if keys.unfinished else ""
        return f"The secrets are {state}; {keys.behind} under an older data key{unfinished}."


def _passphrase() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase: ")
    return sys.stdin.readline().rstrip("\n")
