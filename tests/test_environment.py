"""What the environment says is what a process of ours is set to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAID = {
    "SPACEBOT_BRAVE_URL": "http://127.0.0.1:1/brave",
    "SPACEBOT_SEARXNG_URL": "http://127.0.0.1:1/searxng",
    "SPACEBOT_CHROMIUM": "/opt/chromium",
    "SPACEBOT_MASTER_KEY_FILE": "/opt/master.key",
    "SPACEBOT_WORKSPACE_MB": "7",
    "SPACEBOT_CONVERSATION_FILES_MB": "8",
}
ASK = (
    "import json, sys; from spacebot_site import settings;"
    "print(json.dumps({name: str(getattr(settings, name)) for name in sys.argv[1:]}))"
)


def ask(home: Path, **said: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SPACEBOT_HOME": str(home), **said}
    command = [sys.executable, "-c", ASK, *SAID]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)


def test_each_variable_is_read(tmp_path: Path) -> None:
    assert json.loads(ask(tmp_path, **SAID).stdout) == SAID


@pytest.mark.parametrize("name", ["SPACEBOT_WORKSPACE_MB", "SPACEBOT_CONVERSATION_FILES_MB"])
@pytest.mark.parametrize("value", ["0", "many"])
def test_a_value_that_will_not_do_stops_the_start_and_names_its_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    done = ask(tmp_path, **{name: value})
    assert done.returncode != 0
    assert f"{name} must be" in done.stderr
