"""Erasing what schedules keep of a person: their own schedules end without words, and ledgers forget what was said to them.

The lines themselves stay, so that each instant is still accounted for.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Person
from messaging.models import Message, Participant
from realtime.services import unit_of_work
from tasks.models import Firing, Schedule
from tasks.services.approvals.erasure import blank
from tasks.services.schedules.removing import remove
from tasks.services.schedules.rows import hold

ERASED = "[erased]"


def erase(organization_id: int, person_id: int) -> int:
    """Erase them and return how many rows it were. Twice changes nothing."""
    owned = list(_owned(organization_id, person_id))
    for found in owned:
        with unit_of_work():
            schedule = hold(found)
            remove(schedule, reason="The owner was erased", now=timezone.now())
            schedule.name = schedule.prompt = ERASED
            schedule.stopped_reason = ""
            schedule.save(update_fields=["name", "prompt", "stopped_reason"])
            blank(schedule.approvals.all())
    return len(owned) + _told(organization_id, person_id).update(outcome="", failure="")


def count(organization_id: int, person_id: int) -> int:
    return _owned(organization_id, person_id).count() + _told(organization_id, person_id).count()


def _owned(organization_id: int, person_id: int) -> QuerySet[Schedule]:
    users = Person.objects.filter(pk=person_id, user__isnull=False).values("user_id")
    return Schedule.objects.filter(organization_id=organization_id, owner__in=users).exclude(prompt=ERASED)


def _told(organization_id: int, person_id: int) -> QuerySet[Firing]:
    """Return the lines with words, of conversations the person was in; what they said there shows it after they have left."""
    joined = Participant.objects.filter(organization_id=organization_id, person_id=person_id)
    spoke = Message.objects.filter(organization_id=organization_id, person_id=person_id)
    rooms = {
        *joined.values_list("conversation_id", flat=True),
        *spoke.values_list("conversation_id", flat=True),
    }
    lines = Firing.objects.filter(organization_id=organization_id, schedule__conversation_id__in=rooms)
    return lines.exclude(Q(outcome="") & Q(failure=""))
