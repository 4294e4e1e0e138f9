"""What a process loads, by its settings. Each is asked in a process of its own: settings are read once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASK = "import django; django.setup(); from django.apps import apps; print(apps.is_installed('django.contrib.admin'))"


@pytest.mark.parametrize(("value", "expected"), [("1", "True"), ("0", "False")])
def test_a_process_without_pages_does_without_the_admin(value: str, expected: str) -> None:
    environment = {**os.environ, "SPACEBOT_PAGES": value, "DJANGO_SETTINGS_MODULE": "spacebot_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == expected
