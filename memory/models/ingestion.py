"""Files that agents were given to read, and how far that has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import Organization, Person, User


class FileState(models.TextChoices):
    QUEUED = "queued"
    READING = "reading"
    EXTRACTING = "extracting"
    DONE = "done"
    FAILED = "failed"


OPEN_STATES = (FileState.QUEUED, FileState.READING, FileState.EXTRACTING)


class IngestedFile(models.Model):
    """A file given to one agent. What is learned from it is for `audience_person`, or without one for everyone.

    `digest` is the SHA-256 of its content, by which it lies in the store. `tries` counts attempts since something was
    last achieved. `reason` says in plain words why it waits or failed, `notice` what of it could not be read.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="ingested_files")
    agent_id = models.BigIntegerField()
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=80)
    state = models.CharField(max_length=12, choices=FileState.choices, default=FileState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    chunks_total = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0)
    memories = models.PositiveIntegerField(default=0, help_text="How many it has given")
    reason = models.CharField(max_length=300, blank=True)
    notice = models.CharField(max_length=300, blank=True)
    audience_person = models.ForeignKey(
        Person, models.CASCADE, null=True, blank=True, related_name="ingested_files"
    )
    uploaded_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "agent_id", "digest", "audience_person"],
                name="ingested_file_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(state__in=FileState.values), name="ingested_file_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(state__in=["queued", "reading", "extracting"]),
                name="ingested_file_open",
            ),
            models.Index(fields=["organization", "agent_id", "-id"], name="ingested_file_of_agent"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class ChunkState(models.TextChoices):
    WAITING = "waiting"
    ANSWERED = "answered", "Answered, not yet saved"
    DONE = "done"


class IngestedChunk(models.Model):
    """A piece of a file. `text` is kept until the model has answered, `found` until its memories are saved."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    file = models.ForeignKey(IngestedFile, models.CASCADE, related_name="chunks")
    number = models.PositiveIntegerField()
    page_from = models.PositiveIntegerField(null=True)
    page_to = models.PositiveIntegerField(null=True)
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=ChunkState.choices, default=ChunkState.WAITING)
    text = models.TextField(blank=True)
    found = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="ingested_chunk_once"),
            models.CheckConstraint(
                condition=Q(state__in=ChunkState.values), name="ingested_chunk_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}, piece {self.number}"
