"""Write docs/openapi.json, or with --check say whether it is out of date."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spacebot_site.api.docs import schema


class Command(BaseCommand):
    help = "Write docs/openapi.json; with --check, fail when it is out of date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "openapi.json"
        text = json.dumps(schema(), indent=2, sort_keys=True) + "\n"
        if not options["check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise CommandError("docs/openapi.json is out of date: run manage.py openapi")
