"""Erasing a person from working memory: events of theirs and of conversations they were in, and every text made of those.

Summaries that told such an event go as well; what else went into them is open again and summed up anew.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from agents.models import Run, RunKind, Synthesis, WorkingEvent, WorkingState
from agents.services.erasure import ERASED, conversations_of, erase_runs
from agents.services.events import withdraw, withdraw_syntheses
from memory.models import Audience

BEGINNING = 60
"""How much of a text tells it apart in the prompts of other conversations."""

ERASE_FROM_PROMPTS = """
UPDATE agents_prompt SET system = ARRAY(
    SELECT CASE WHEN EXISTS (SELECT 1 FROM unnest(%(texts)s::text[]) AS told WHERE position(told IN part) > 0)
                THEN %(erased)s ELSE part END
    FROM unnest(system) WITH ORDINALITY AS parts(part, place) ORDER BY place)
WHERE organization_id = %(tenant)s AND EXISTS (
    SELECT 1 FROM unnest(system) AS part, unnest(%(texts)s::text[]) AS told WHERE position(told IN part) > 0)
"""


def erase_happenings_of(organization_id: int, person_id: int) -> int:
    """Erase them and return how many events, summaries and states it were. Twice changes nothing."""
    events, syntheses, states = _of(organization_id, person_id)
    told = events.exclude(synthesis=None).values_list("synthesis_id", flat=True)
    ids = {*syntheses.values_list("pk", flat=True), *told}
    above = Synthesis.objects.filter(rolled__in=ids).values_list("pk", flat=True)
    summaries = Synthesis.objects.filter(pk__in=ids | set(above))
    texts = {*events.values_list("summary", flat=True), *summaries.values_list("text", flat=True)}
    # What a summary was made from stands in the record of its run.
    audiences = {*states.values_list("pk", flat=True)}
    if texts:
        everyone = WorkingState.objects.filter(
            organization_id=organization_id, audience=Audience.ORGANIZATION
        )
        audiences |= set(everyone.values_list("pk", flat=True))
    runs = Run.objects.filter(kind=RunKind.SYNTHESIS, input__state__in=sorted(audiences))
    count = withdraw_syntheses(list(summaries.values_list("pk", flat=True))) + withdraw(events)
    count += states.delete()[0]
    erase_runs(organization_id, runs)
    _erase_from_prompts(organization_id, texts)
    return count


def count_happenings_of(organization_id: int, person_id: int) -> int:
    return sum(rows.count() for rows in _of(organization_id, person_id))


def _of(
    organization_id: int, person_id: int
) -> tuple[QuerySet[WorkingEvent], QuerySet[Synthesis], QuerySet[WorkingState]]:
    rooms = conversations_of(organization_id, person_id)
    heard = Q(audience_person=person_id) | Q(audience_conversation__in=rooms)
    return (
        WorkingEvent.objects.filter(
            heard | Q(person=person_id) | Q(conversation__in=rooms), organization_id=organization_id
        ),
        Synthesis.objects.filter(heard | Q(people__contains=[person_id]), organization_id=organization_id),
        WorkingState.objects.filter(heard, organization_id=organization_id),
    )


def _erase_from_prompts(organization_id: int, texts: set[str]) -> None:
    """Blank the parts of prompts, of whatever conversation, that told any of it."""
    beginnings = {text.split("\n")[0][:BEGINNING].strip() for text in texts}
    values: dict[str, Any] = {"tenant": organization_id, "texts": sorted(beginnings - {""}), "erased": ERASED}
    with connection.cursor() as cursor:
        cursor.execute(ERASE_FROM_PROMPTS, values)
