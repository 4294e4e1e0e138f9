"""Erasing what questions of runs say. That something was asked and answered stays."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from agents.models import Question, QuestionState

ERASED = "[erased]"


def erase_questions(run_ids: Collection[int]) -> int:
    """Empty the questions of runs that have ended, and close those still open; return how many it were."""
    rows = Question.objects.filter(run_id__in=run_ids)
    rows.filter(state=QuestionState.OPEN).update(state=QuestionState.WITHDRAWN, closed_at=timezone.now())
    return rows.update(text=ERASED, options=[], answer={}, answered_by=None)
