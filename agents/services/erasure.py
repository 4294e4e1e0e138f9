"""Erasing what runs keep of a person: prompts, steps, results, reports and checkpoints of the conversations they were in,
and the stored events that repeat them.

The runs themselves stay, without words, so that costs and causes can still be counted. A run that is still alive keeps its
record until it has ended: erase again then.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from agents.models import TERMINAL_STATES, Checkpoint, Prompt, Report, Run, RunInput, Step
from agents.questions.erasure import erase_questions
from messaging.models import Participant
from realtime.models import Event
from tasks.services.approvals.erasure import erase_approvals_of

ERASED = "[erased]"
REPEATING = ("run.changed", "checkpoint.created")


def erase_records_of(organization_id: int, person_id: int) -> int:
    """Erase them and return how many steps, checkpoints and events it were. Twice changes nothing."""
    conversations = conversations_of(organization_id, person_id)
    checkpoints = Checkpoint.objects.filter(conversation_id__in=conversations)
    events = _events_of(organization_id, conversations)
    count = checkpoints.count() + events.count()
    events.delete()
    checkpoints.delete()
    erase_approvals_of(organization_id, conversations, [])
    return count + erase_runs(organization_id, Run.objects.filter(conversation_id__in=conversations))


def erase_runs(organization_id: int, runs: QuerySet[Run]) -> int:
    """Empty the runs that have ended; return how many steps went."""
    runs = runs.filter(organization_id=organization_id, state__in=TERMINAL_STATES)
    run_ids = list(runs.values_list("pk", flat=True))
    prompts = set(runs.exclude(prompt=None).values_list("prompt_id", flat=True))
    steps = Step.objects.filter(run_id__in=run_ids)
    count = steps.count()
    steps.delete()
    RunInput.objects.filter(run_id__in=run_ids).delete()
    erase_approvals_of(organization_id, set(), run_ids)
    Report.objects.filter(run_id__in=run_ids).update(text=ERASED)
    erase_questions(run_ids)
    Run.objects.filter(pk__in=run_ids).update(
        title="", input={}, result={}, failure=None, status_text="", cancel_reason="", prompt=None
    )
    used = Run.objects.filter(prompt_id=OuterRef("pk"))
    Prompt.objects.filter(~Exists(used), organization_id=organization_id, pk__in=prompts).delete()
    return count


def count_records_of(organization_id: int, person_id: int) -> int:
    """Count steps, checkpoints and events of the conversations the person was in."""
    conversations = conversations_of(organization_id, person_id)
    steps = Step.objects.filter(run__conversation_id__in=conversations)
    checkpoints = Checkpoint.objects.filter(conversation_id__in=conversations)
    return steps.count() + checkpoints.count() + _events_of(organization_id, conversations).count()


def _events_of(organization_id: int, conversations: set[int]) -> QuerySet[Event]:
    """Return stored events that repeat titles, results and summaries of these conversations."""
    return Event.objects.filter(
        organization_id=organization_id, conversation_id__in=conversations, kind__in=REPEATING
    )


def conversations_of(organization_id: int, person_id: int) -> set[int]:
    """Return where the person took part; runs they asked for tell it even after they have left."""
    asked = Run.objects.filter(
        organization_id=organization_id, requester_person_id=person_id, conversation_id__isnull=False
    )
    joined = Participant.objects.filter(organization_id=organization_id, person_id=person_id)
    rooms = {room for room in asked.values_list("conversation_id", flat=True) if room is not None}
    return rooms | set(joined.values_list("conversation_id", flat=True))
