"""Check the audit chain of every organization, or of one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import AuditEvent, Organization
from accounts.services.audit import find_broken_number


class Command(BaseCommand):
    help = "Verify the hash chain of the audit trail. Exit status 1 when an entry is missing or altered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="check only this one")

    def handle(self, *args: Any, **options: Any) -> None:
        organizations = Organization.objects.order_by("slug")
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
            if not organizations:
                raise CommandError(f"there is no organization {options['organization']}")
        broken = False
        for organization in organizations:
            number = find_broken_number(organization.pk)
            if number is None:
                count = AuditEvent.objects.filter(organization=organization).count()
                self.stdout.write(f"{organization.slug}: {count} entries, whole")
            else:
                broken = True
                self.stderr.write(f"{organization.slug}: broken at number {number}")
        if broken:
            sys.exit(1)
