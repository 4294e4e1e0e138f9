"""Stored events, which browsers replay after a lost connection, and notices, which wait until they are read."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Organization, User


class EventCounter(models.Model):
    """The last event number of an organization. Its row lock makes commit order equal number order."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True)
    last_number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.last_number}"


class Event(models.Model):
    """Something that happened, for those who may see it.

    `conversation_id` limits it to those who may read that conversation; without one, every member of at
    least `minimum_level` sees it. `user_id` limits it to one user.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    number = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    conversation_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    minimum_level = models.PositiveSmallIntegerField(default=1)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="event_number_once")]
        indexes = [models.Index(fields=["created_at"], name="event_created")]

    def __str__(self) -> str:
        return f"{self.organization_id}#{self.number} {self.kind}"


class NoticeKind(models.TextChoices):
    APPROVAL = "approval", "Waits for a decision"
    FAILURE = "failure", "Something failed"
    BREAKER = "breaker", "Something was stopped after failing repeatedly"
    DONE = "done", "Something was finished"
    MENTION = "mention", "Somebody wants you"
    CHANGE = "change", "Something of yours was changed"


class MailState(models.TextChoices):
    NONE = "none", "Not mailed"
    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Notice(models.Model):
    """Something that one user should know of.

    `key` says what it is about: telling the same thing again raises `count` and makes it unread instead of adding a
    row. `subject` and `subject_id` name what it leads to. With `conversation_id` it is shown only while the user may
    read that conversation.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=12, choices=NoticeKind.choices)
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    subject = models.CharField(max_length=24, blank=True)
    subject_id = models.BigIntegerField(null=True)
    conversation_id = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=8, choices=MailState.choices, default=MailState.NONE)
    mail_at = models.DateTimeField(null=True, help_text="When it is due, or was last tried")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "organization", "key"], name="notice_once"),
            models.CheckConstraint(condition=models.Q(kind__in=NoticeKind.values), name="notice_kind_known"),
        ]
        indexes = [
            models.Index(fields=["user", "organization", "-updated_at"], name="notice_newest"),
            models.Index(
                fields=["user", "organization"], condition=models.Q(read_at=None), name="notice_unread"
            ),
            models.Index(
                fields=["mail_at"], condition=models.Q(mail__in=["due", "sending"]), name="notice_to_mail"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title[:60]}"


class NoticeSetting(models.Model):
    """Which kinds of notices a user also wants by mail, in one organization."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    user = models.ForeignKey(User, models.CASCADE, related_name="notice_settings")
    mailed_kinds = ArrayField(models.CharField(max_length=12, choices=NoticeKind.choices), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="notice_setting_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {', '.join(self.mailed_kinds) or 'none'}"
