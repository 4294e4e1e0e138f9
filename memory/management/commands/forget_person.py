"""`manage.py forget_person ID [--yes]`: erase what is known of a person and show the count of what is left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Person
from memory.services.erasure import count_left, erase_person


class Command(BaseCommand):
    help = "Erase everything known of a person: memories, edits, vectors, messages, identities."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", type=int, help="the person's id")
        parser.add_argument("--organization", required=True, help="the organization's slug")
        parser.add_argument("--yes", action="store_true", help="erase; without it, only count")

    def handle(self, *args: Any, **options: Any) -> None:
        person = Person.objects.filter(
            pk=options["person"], organization__slug=options["organization"]
        ).first()
        if person is None:
            raise CommandError("There is no such person in this organization.")
        if not options["yes"]:
            for name, count in count_left(person.organization_id, person.pk).items():
                self.stdout.write(f"{name}: {count}")
            self.stdout.write("Nothing was erased; add --yes to erase.")
            return
        result = erase_person(person.organization_id, person.pk)
        for name, count in result.erased.items():
            self.stdout.write(f"{name}: {count} erased")
        for name, count in result.left.items():
            self.stdout.write(f"{name}: {count} left")
        if not result.is_complete:
            raise CommandError("Something is left.")
