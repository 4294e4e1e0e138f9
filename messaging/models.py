"""What was said, where, and whether it arrived.

Agents live in a higher package, so `agent_id` and `run_id` are plain numbers here; a migration of `agents`
adds the database constraint.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models

from accounts.models import Organization, Person, User


class PlatformAccount(models.Model):
    """The organization's presence on one platform; `webchat` is made with the organization.

    `leased_by` and `lease_expires_at` say which gateway runs its adapter now.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="platform_accounts")
    platform = models.CharField(max_length=32)
    name = models.CharField(max_length=80, default="default")
    settings = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    state = models.CharField(max_length=16, default="stopped", editable=False)
    state_reason = models.CharField(max_length=300, blank=True, editable=False)
    leased_by = models.CharField(max_length=80, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform", "name"], name="platform_account_once")
        ]

    def __str__(self) -> str:
        return self.platform if self.name == "default" else f"{self.platform}: {self.name}"


class Binding(models.Model):
    """A rule that lets messages of a platform account reach an agent. Nothing matches: nobody hears it.

    Empty `conversation_ids` or `sender_ids` match all only where they hold `*`.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="bindings")
    account = models.ForeignKey(PlatformAccount, models.CASCADE, related_name="bindings")
    agent_id = models.BigIntegerField(db_index=True)
    position = models.PositiveSmallIntegerField(default=0)
    conversation_ids = models.JSONField(default=list, blank=True)
    sender_ids = models.JSONField(default=list, blank=True)
    require_mention = models.BooleanField(default=False)

    class Meta:
        ordering = ["account_id", "position", "id"]

    def __str__(self) -> str:
        return f"{self.account} → agent {self.agent_id}"


class ConversationKind(models.TextChoices):
    DM = "dm", "Private"
    GROUP = "group", "Shared"


class Conversation(models.Model):
    """An append-only sequence of messages between people and one agent.

    `external_id` is the platform's; web chat makes its own. `last_seq` is the newest message's place.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="conversations")
    account = models.ForeignKey(PlatformAccount, models.PROTECT, related_name="conversations")
    agent_id = models.BigIntegerField(db_index=True)
    external_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=ConversationKind.choices)
    title = models.CharField(max_length=160, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    last_seq = models.BigIntegerField(default=0, editable=False)
    last_message_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "external_id"], name="conversation_once")]
        indexes = [models.Index(fields=["organization", "-last_message_at"], name="conversation_recent")]

    def __str__(self) -> str:
        return self.title or f"conversation {self.pk}"


class Participant(models.Model):
    """A person who takes part in a conversation and so may read all of it."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="participants")
    person = models.ForeignKey(Person, models.CASCADE, related_name="participations")
    last_read_seq = models.BigIntegerField(default=0)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "person"], name="participant_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.conversation_id}"


class Direction(models.TextChoices):
    INBOUND = "in"
    OUTBOUND = "out"


class Handling(models.TextChoices):
    """What became of an inbound message."""

    UNANSWERED = "unanswered"
    ANSWERED = "answered"
    SKIPPED = "skipped", "Read, deliberately not answered"
    IGNORED = "ignored", "Not given to the agent"
    NOT_NEEDED = "not_needed", "Outbound"


class Message(models.Model):
    """One utterance. Inbound: `person` said it and `handling` tells what became of it. Outbound: `run_id` wrote it.

    `key` makes writing an outbound message repeatable; `external_id` does so for an inbound one.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    seq = models.BigIntegerField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="messages")
    author_name = models.CharField(max_length=120)
    text = models.TextField()
    external_id = models.CharField(  # noqa: DJ001
        max_length=200, null=True, help_text="The platform's; unique in the account"
    )
    key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    metadata = models.JSONField(default=dict, blank=True)
    run_id = models.BigIntegerField(null=True, db_index=True)
    handling = models.CharField(max_length=12, choices=Handling.choices)
    handled_by_run_id = models.BigIntegerField(null=True)
    handling_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["conversation_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "seq"], name="message_seq_once"),
            models.UniqueConstraint(
                fields=["conversation", "external_id"],
                condition=models.Q(external_id__isnull=False),
                name="message_external_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["conversation", "seq"],
                condition=models.Q(handling="unanswered"),
                name="message_open",
            ),
            GinIndex(SearchVector("text", config="simple"), name="message_words"),
        ]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.text[:40]}"


class Attachment(models.Model):
    """A file of a conversation, for all who take part in it. Its bytes lie in the store under `place`.

    A person uploaded it (`uploaded_by`), or an agent sent it (`run_id`; `key` makes that repeatable). Without a message it
    was uploaded and not sent yet.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="attachments")
    message = models.ForeignKey(Message, models.CASCADE, null=True, related_name="attachments")
    uploaded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="attachments")
    run_id = models.BigIntegerField(null=True)
    key = models.CharField(max_length=80, null=True, unique=True, editable=False)  # noqa: DJ001
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=80, help_text="By its content, not by its name")
    size_bytes = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256")
    place = models.CharField(max_length=40, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["conversation", "-id"], name="attachment_recent"),
            models.Index(fields=["created_at"], condition=models.Q(message=None), name="attachment_unsent"),
        ]

    def __str__(self) -> str:
        return self.name


class Reaction(models.Model):
    """An emoji on a message, by a person or by the agent (`run_id`)."""

    organization = models.ForeignKey(Organization, models.CASCADE)
    message = models.ForeignKey(Message, models.CASCADE, related_name="reactions")
    person = models.ForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")
    run_id = models.BigIntegerField(null=True)
    emoji = models.CharField(max_length=16)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "person", "emoji"], nulls_distinct=False, name="reaction_once"
            )
        ]

    def __str__(self) -> str:
        return self.emoji


class DeliveryState(models.TextChoices):
    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """One chunk of an outbound message, or a file sent with it, on its way to a platform.

    Delivered means that the platform gave its id. `key` is the idempotency key handed to the platform.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    chunk = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    attachment = models.ForeignKey(Attachment, models.CASCADE, null=True, related_name="deliveries")
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    key = models.CharField(max_length=80, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    platform_id = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["message", "chunk"], name="delivery_chunk_once")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state__in=["pending", "sending"]),
                name="delivery_open",
            )
        ]

    def __str__(self) -> str:
        return f"delivery {self.key} {self.state}"
