"""Copies of attachments in workspaces, under `attachments/<id>-<name>`, so that erasing a file finds them again."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from agents.errors import ToolFailed, ToolRetry
from agents.tools.workspace import open_folder
from memory.services.erasure import Eraser
from messaging.attachments import erasure
from messaging.models import Attachment

FOLDER = "attachments"


def copy_name(attachment: Attachment) -> str:
    return f"{attachment.pk}-{attachment.name}"


def erase(organization_id: int, person_id: int) -> int:
    """Erase a person's files, and their copies once that has committed; return how many files it were."""
    names = {copy_name(each) for each in erasure.files_of(organization_id, person_id)}
    transaction.on_commit(partial(_remove_copies, organization_id, names), robust=True)
    return erasure.erase(organization_id, person_id)


def _remove_copies(organization_id: int, names: set[str]) -> None:
    base = Path(settings.SPACEBOT_HOME) / "workspaces" / str(organization_id)
    for workspace in base.glob("*/*") if names else ():
        with suppress(ToolFailed, ToolRetry, OSError), open_folder(workspace, (FOLDER,)) as handle:
            for name in names & set(os.listdir(handle)):
                with suppress(OSError):
                    os.unlink(name, dir_fd=handle)


ATTACHMENTS = Eraser("attachments", erase, erasure.count)
