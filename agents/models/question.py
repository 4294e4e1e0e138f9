"""A question that an agent put to the people of a conversation, and what was answered."""

from __future__ import annotations

from django.db import models

from accounts.models import Organization, Person
from agents.models.run import Run
from messaging.models import Conversation, Message


class QuestionState(models.TextChoices):
    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn", "Taken back"


class Question(models.Model):
    """Asked by a run, answered once by a person who takes part in the conversation.

    `options` are dicts of `label` and `description`; `answer` holds `choices`, places in them, or `text`. `waits`: the run lies
    waiting for it; else the answer goes to the conversation as a message. `key` is that of the call that asked.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="questions")
    run = models.ForeignKey(Run, models.CASCADE, related_name="questions")
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    key = models.CharField(max_length=80, unique=True)
    text = models.TextField()
    options = models.JSONField()
    multi_select = models.BooleanField(default=False)
    waits = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=QuestionState.choices, default=QuestionState.OPEN)
    answer = models.JSONField(default=dict)
    answered_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    answer_message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=QuestionState.values), name="question_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", closed_at=None)
                | ~models.Q(state="open") & ~models.Q(closed_at=None),
                name="question_closed_iff_not_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["conversation", "-id"], condition=models.Q(state="open"), name="question_open"
            ),
            models.Index(fields=["expires_at"], condition=models.Q(state="open"), name="question_due"),
        ]

    def __str__(self) -> str:
        return f"question {self.pk} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state == QuestionState.OPEN
