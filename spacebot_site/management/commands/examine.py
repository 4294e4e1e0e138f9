"""Print what `./spacebot doctor` can only learn from inside, as one line of JSON: name, good or not, text."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand

from spacebot_site.examination import examine


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps([(one.name, one.good, one.text) for one in examine()]))
