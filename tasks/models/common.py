"""What goals and tasks share."""

from __future__ import annotations

from django.db import models


class Priority(models.IntegerChoices):
    """Ordered, so that the database sorts by it; people and programs use the words."""

    CRITICAL = 1, "critical"
    HIGH = 2, "high"
    MEDIUM = 3, "medium"
    LOW = 4, "low"

    @classmethod
    def named(cls, word: str) -> Priority | None:
        """Return the priority with this word; None if there is none."""
        return next((each for each in cls if each.label == word), None)


PRIORITY_WORDS = tuple(str(each.label) for each in Priority)


class Audience(models.TextChoices):
    """Who may see a row: everyone in the organization, or only those in the conversation it came from, with its
    requester, owner and assignee."""

    ORGANIZATION = "organization", "Everyone"
    CONVERSATION = "conversation", "Those in its conversation"
