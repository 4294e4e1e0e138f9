from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from agents.browser import folders
from agents.browser.finding import find_chromium
from spacebot_site.launch.home import ROOT

SCRIPT = """
import time
from django.conf import settings
settings.configure(SPACEBOT_HOME="/nowhere", SPACEBOT_CHROMIUM="{chromium}")
from agents.browser.session import Session
from agents.egress.checking import checker_for
from agents.egress.policy import OPEN
session = Session(checker_for(OPEN))
session.start()
print("open", flush=True)
time.sleep(300)
"""


def processes_of(pid: int) -> list[str]:
    """Return the commands that name the folder of that process's browsers."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folders.PREFIX}{pid}-" in command:
            found.append(command)
    return found


@pytest.mark.browser
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_browser_outlives_a_killed_process_and_its_folder_is_cleared_by_the_next() -> None:
    script = SCRIPT.format(chromium=find_chromium())
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        assert processes_of(process.pid)
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while (left := processes_of(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    stale = list(Path(tempfile.gettempdir()).glob(f"{folders.PREFIX}{process.pid}-*"))
    assert len(stale) == 1
    folders._clear_what_was_left.cache_clear()
    mine = folders.make_folder()
    assert not stale[0].exists()
    assert mine.name.startswith(f"{folders.PREFIX}{os.getpid()}-")
    mine.rmdir()
