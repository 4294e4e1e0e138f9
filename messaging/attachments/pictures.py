"""What the tools of a run saw: pictures that lie among the conversation's attachments, belong to no message, and go after a week.

They are shown with the run, by whoever may see its inside; nothing lists them as files of the conversation.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta

import imagesize
from django.http import HttpResponse

from accounts.errors import NotFound
from messaging.attachments import services, store
from messaging.attachments.download import POLICY
from messaging.attachments.queries import PICTURE
from messaging.media import SNIFFED, media_type_of
from messaging.models import Attachment
from realtime.services import unit_of_work

KINDS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
MOST_BYTES = 4 * 1024 * 1024
MOST_PIXELS = 40_000_000
"""A few kilobytes may stand for gigabytes in the browser of whoever looks; the highest page that is taken has eight million."""
MOST_PER_CALL = 10
MOST_PER_CONVERSATION = 60
"""When there are more, the oldest go."""
KEPT_FOR = timedelta(days=7)


def keep(
    organization_id: int, conversation_id: int, run_id: int, call_key: str, pictures: Sequence[bytes]
) -> int:
    """Keep pictures of one call and return how many it were; what is no picture or too large is left out.

    The same call again keeps nothing more.
    """
    if Attachment.objects.filter(PICTURE, run_id=run_id, key__startswith=_key(call_key)).exists():
        return 0
    good = [each for each in pictures if _is_good(each)]
    for number, content in enumerate(good[:MOST_PER_CALL], start=1):
        kept = store.keep(organization_id, conversation_id, io.BytesIO(content))
        Attachment.objects.create(
            organization_id=organization_id, conversation_id=conversation_id, run_id=run_id,
            key=f"{_key(call_key)}{number}", name=f"picture-{number}.{KINDS[kept.media_type]}",
            media_type=kept.media_type, size_bytes=kept.size_bytes, digest=kept.digest, place=kept.place,
        )  # fmt: skip
    _forget_oldest(conversation_id)
    return len(good[:MOST_PER_CALL])


def _is_good(content: bytes) -> bool:
    if len(content) > MOST_BYTES or media_type_of(content[:SNIFFED]) not in KINDS:
        return False
    width, height = map(int, imagesize.get(io.BytesIO(content)))
    return min(width, height) > 0 and width * height <= MOST_PIXELS


def _key(call_key: str) -> str:
    return f"picture/{call_key}/"


def _forget_oldest(conversation_id: int) -> None:
    rows = Attachment.objects.filter(PICTURE, conversation_id=conversation_id).order_by("-pk")
    surplus = list(rows.values_list("pk", flat=True)[MOST_PER_CONVERSATION:])
    if surplus:
        with unit_of_work():
            services.delete(Attachment.objects.filter(PICTURE, pk__in=surplus))


def pictures_of(organization_id: int, run_id: int) -> dict[str, list[Attachment]]:
    """Return the pictures of a run by the key of their call, in order."""
    found: dict[str, list[Attachment]] = {}
    rows = Attachment.objects.filter(PICTURE, organization_id=organization_id, run_id=run_id)
    for row in rows.order_by("pk"):
        found.setdefault((row.key or "").removeprefix("picture/").rpartition("/")[0], []).append(row)
    return found


def as_picture(organization_id: int, run_id: int, picture_id: int) -> HttpResponse:
    """Return a picture as an answer that is shown in place and never run. Raises NotFound."""
    row = Attachment.objects.filter(PICTURE, organization_id=organization_id, run_id=run_id, pk=picture_id)
    found = row.first()
    if found is None or found.media_type not in KINDS:
        raise NotFound("There is no such picture.")
    try:
        with store.open_attachment(found) as file:
            content = file.read()
    except FileNotFoundError:
        raise NotFound("This picture is not stored any more.") from None
    response = HttpResponse(content, content_type=found.media_type)
    response["Content-Disposition"] = f'inline; filename="{found.name}"'
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
