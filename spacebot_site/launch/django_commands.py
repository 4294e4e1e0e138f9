"""Django's command line with the home's servers up."""

from __future__ import annotations

import os
from pathlib import Path

from spacebot_site.launch import embedded
from spacebot_site.launch.environment_setup import PYTHON
from spacebot_site.launch.home import ROOT
from spacebot_site.launch.home import prepare as prepare_home
from spacebot_site.launch.start import child_environment, read_port
from spacebot_site.launch.state import find_running


def run_manage(home: Path, arguments: list[str]) -> int:
    """Become `manage.py` with these arguments; servers that were not running stay up until `./spacebot stop`."""
    prepare_home(home)
    embedded.revive(home)
    running = find_running(home)
    environment = child_environment(home, running.port if running else read_port())
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), "manage.py", *arguments], environment)
