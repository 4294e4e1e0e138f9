"""Files that were given for one person alone go with that person."""

from __future__ import annotations

from django.db.models import QuerySet

from memory.ingestion.removal import discard_unshared
from memory.models import IngestedFile
from memory.services.erasure import Eraser


def _files_for(organization_id: int, person_id: int) -> QuerySet[IngestedFile]:
    return IngestedFile.objects.filter(organization_id=organization_id, audience_person=person_id)


def _erase(organization_id: int, person_id: int) -> int:
    files = _files_for(organization_id, person_id)
    digests = set(files.values_list("digest", flat=True))
    count = files.count()
    files.delete()
    discard_unshared(organization_id, digests)
    return count


def _count(organization_id: int, person_id: int) -> int:
    return _files_for(organization_id, person_id).count()


FILES = Eraser("files", _erase, _count)
