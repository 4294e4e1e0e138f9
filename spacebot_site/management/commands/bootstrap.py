"""Prepare the database and the static files, make what a first conversation needs, print a sign-in link."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from spacebot_site import first_start


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--static", action="store_true", help="collect the static files too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["static"]:
            first_start.collect_static_files()
        with first_start.one_at_a_time():
            migrated = first_start.migrate_if_needed()
            installation = first_start.ensure_installation()
            agent = first_start.ensure_agent(installation.owner)
            notes = first_start.import_providers(installation.owner)
            first_start.ensure_launcher_token(installation.owner)
        owner = installation.owner
        found = {
            "is_new": installation.is_new,
            "migrated": migrated,
            "organization": owner.organization.slug,
            "owner": owner.user.email,
            "agent": agent,
            "notes": notes,
            "sign_in_path": first_start.sign_in_path(owner),
        }
        self.stdout.write(json.dumps(found))
