"""Pictures that tools took or were given, beside their calls in the run's page."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse

from accounts.actor import Actor
from accounts.errors import NotFound
from accounts.logs import get_logger
from agents.models import Run
from agents.queries import get_run, was_there
from messaging.attachments import pictures

log = get_logger(__name__)


def keep_pictures(run: Run, call_key: str, found: Sequence[bytes]) -> None:
    """Keep what a call saw, if its run belongs to a conversation; a full disk fails no call."""
    if not found or run.conversation_id is None:
        return
    try:
        pictures.keep(run.organization_id, run.conversation_id, run.pk, call_key, found)
    except OSError:
        log.exception("pictures.not_kept", run=run.pk)


def show_picture(actor: Actor, run_id: int, picture_id: int) -> HttpResponse:
    """Return a picture to whoever may see the inside of its run. Raises NotFound for everyone else."""
    run = get_run(actor, run_id)
    if not was_there(actor, run):
        raise NotFound("There is no such picture.")
    return pictures.as_picture(actor.organization.pk, run.pk, picture_id)
