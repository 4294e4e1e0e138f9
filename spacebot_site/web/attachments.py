"""Files of a conversation: downloaded by whoever takes part in it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.actor import Actor
from messaging.attachments.download import as_download
from messaging.attachments.queries import get_attachment
from spacebot_site.web.door import page


@require_GET
@page()
def download(request: HttpRequest, actor: Actor, conversation_id: int, attachment_id: int) -> HttpResponse:
    return as_download(get_attachment(actor, conversation_id, attachment_id))
