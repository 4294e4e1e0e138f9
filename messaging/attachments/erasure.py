"""Files that a person gave go with the person."""

from __future__ import annotations

from django.db.models import QuerySet

from messaging.attachments import services
from messaging.models import Attachment


def files_of(organization_id: int, person_id: int) -> QuerySet[Attachment]:
    return Attachment.objects.filter(organization_id=organization_id, uploaded_by_id=person_id)


def erase(organization_id: int, person_id: int) -> int:
    return services.delete(files_of(organization_id, person_id))


def count(organization_id: int, person_id: int) -> int:
    return files_of(organization_id, person_id).count()
