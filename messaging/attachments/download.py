"""A file as an answer to a browser: to be saved, whatever it is, and never run or shown as part of our site."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from accounts.errors import NotFound
from messaging.attachments.store import open_attachment
from messaging.media import UNKNOWN
from messaging.models import Attachment

POLICY = "default-src 'none'; sandbox"


def as_download(attachment: Attachment) -> HttpResponse:
    """Return its content. Raises NotFound where that was lost."""
    try:
        with open_attachment(attachment) as file:
            content = file.read()
    except FileNotFoundError:
        raise NotFound("The content of this file is not stored any more.") from None
    response = HttpResponse(content, content_type=UNKNOWN)
    response["Content-Disposition"] = content_disposition_header(True, attachment.name) or "attachment"
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
