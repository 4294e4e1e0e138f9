"""Make an API token of the first organization's owner and print it; it cannot be shown again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import AccountsError
from accounts.scopes import allowed_scopes
from accounts.services.tokens import create_token
from spacebot_site.first_start import ensure_installation


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--scope", action="append", help="one scope; repeatable; all that the owner may otherwise"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = ensure_installation().owner
        try:
            _, raw = create_token(
                owner, name=options["name"], scopes=options["scope"] or allowed_scopes(owner.role)
            )
        except AccountsError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(raw)
