"""Which drivers work here: found out by a real trial of each, once per process.

A trial builds the walls around a command that tries to leave them; a driver that merely exists does not count. What has
failed is tried again after a minute.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agents.sandbox.command import Access, Command
from agents.sandbox.drivers import DRIVERS
from agents.sandbox.drivers.base import Sandbox
from agents.sandbox.errors import NotContained, SandboxError
from agents.sandbox.launcher import run

TRIAL_S = 15.0
AGAIN_AFTER_S = 60.0
TRIAL = """
printf inside > trial && echo written
cat "$OUTSIDE" 2>/dev/null && echo read
( : > "$OUTSIDE-too" ) 2>/dev/null
for place in /etc/escaped /usr/escaped; do ( : > "$place" ) 2>/dev/null && echo escaped; done
ls /run/* /root/* /home/* 2>/dev/null | head -n 1 | sed s/.*/looked/
true
"""


@dataclass(frozen=True)
class Trial:
    """What came of trying a driver; `reason` says why it does not work."""

    name: str
    works: bool
    reason: str = ""


_lock = threading.Lock()
_trials: dict[str, tuple[float, Trial]] = {}


def trials() -> tuple[Trial, ...]:
    """Return what came of each driver that makes walls, best first."""
    return tuple(_trial(driver) for driver in DRIVERS.values() if driver.contains)


def best() -> Sandbox:
    """Return the best driver that works here. Raises NotContained with every reason."""
    found = []
    for driver in DRIVERS.values():
        if not driver.contains:
            continue
        trial = _trial(driver)
        if trial.works:
            return driver
        found.append(f"{trial.name}: {trial.reason}")
    raise NotContained(f"no sandbox works on this machine ({'; '.join(found)})")


def forget() -> None:
    """Forget all trials, so that the next question tries again."""
    with _lock:
        _trials.clear()


def _trial(driver: Sandbox) -> Trial:
    with _lock:
        tried_at, trial = _trials.get(driver.name, (0.0, None))
        if trial is None or (not trial.works and time.monotonic() - tried_at > AGAIN_AFTER_S):
            trial = try_driver(driver)
            _trials[driver.name] = (time.monotonic(), trial)
        return trial


def try_driver(driver: Sandbox) -> Trial:
    """Run the trial now."""
    with TemporaryDirectory(prefix="spacebot-trial-") as name:
        home = Path(name).resolve() / "home"
        home.mkdir()
        outside = home.parent / "outside"
        outside.write_text("secret")
        command = Command(
            argv=("/bin/sh", "-c", TRIAL),
            cwd=home,
            environment={"OUTSIDE": str(outside)},
            access=Access(writable=(home,)),
        )
        try:
            done = run(command, driver, timeout_s=TRIAL_S, merge_stderr=True)
        except SandboxError as error:
            return Trial(driver.name, False, str(error)[:300])
        said = done.stdout.decode(errors="replace").strip()
        written = (home / "trial").is_file() and not Path(f"{outside}-too").exists()
        if said != "written" or not written or not done.succeeded:
            return Trial(driver.name, False, f"its walls do not hold: {said[-200:] or done.ended}")
    return Trial(driver.name, True)
