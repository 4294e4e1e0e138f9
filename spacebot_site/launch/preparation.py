"""The one Django process of a start: migrations, static files, first rows, sign-in link. Skips what a stamp says is done."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from spacebot_site.launch.environment_setup import PYTHON
from spacebot_site.launch.errors import LaunchError
from spacebot_site.launch.home import ROOT, read_private, write_private

LOCK_FILES = ("requirements.txt", "package-lock.json")


@dataclass(frozen=True)
class Prepared:
    organization: str
    owner: str
    sign_in_path: str
    is_new: bool
    notes: tuple[str, ...] = ()


class Preparation:
    """Runs beside other steps: begin it, do something else, then wait for what it found."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = environment
        self.stamp = home / "run" / "prepared"
        self.wanted = fingerprint(environment)
        self.is_repeat = read_private(self.stamp) == self.wanted and (home / "static").is_dir()

    def begin(self) -> None:
        command = [PYTHON, "manage.py", "bootstrap", *([] if self.is_repeat else ["--static"])]
        self._popen = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait(self, timeout_s: float = 300) -> Prepared:
        """Return what the process found. Raises LaunchError with its last words."""
        try:
            output, errors = self._popen.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            raise LaunchError(
                f"preparing the database took over {timeout_s:.0f} s", "is DATABASE_URL right?"
            ) from None
        log = self.home / "logs" / "bootstrap.log"
        if self._popen.returncode:
            log.write_text(errors)
            raise LaunchError(f"cannot prepare the database ({_complaint(errors)})", f"see {log}")
        found = json.loads(output.splitlines()[-1])
        write_private(self.stamp, self.wanted)
        return Prepared(
            organization=found["organization"],
            owner=found["owner"],
            sign_in_path=found["sign_in_path"],
            is_new=found["is_new"],
            notes=tuple(found["notes"]),
        )


def fingerprint(environment: dict[str, str]) -> str:
    """Return a digest of all that migrations and static files are made from."""
    digest = hashlib.sha256(environment.get("DATABASE_URL", "").encode())
    for name in LOCK_FILES:
        digest.update((ROOT / name).read_bytes())
    for path in sorted([*ROOT.glob("*/migrations/*.py"), *_files(ROOT / "static")]):
        seen = path.stat()
        digest.update(f"{path.relative_to(ROOT)} {seen.st_size} {seen.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _complaint(errors: str) -> str:
    """Return the line of a traceback that names the exception, or the last line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Configured|Refused)\b", line)]
    return (named or lines or ["no message"])[-1][:300]


def _files(folder: Path) -> list[Path]:
    return [Path(base) / name for base, _, names in os.walk(folder) for name in names]
