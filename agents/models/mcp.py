"""MCP servers that an organization lets its agents use, and the tools they list."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, User
from agents.models.agent import Agent


class Transport(models.TextChoices):
    STDIO = "stdio", "A program on this machine"
    HTTP = "http", "An address (streamable HTTP)"


class McpState(models.TextChoices):
    NEW = "new", "Not tried yet"
    CONNECTED = "connected", "Connected"
    FAILED = "failed", "Does not answer"
    SIGN_IN = "sign_in", "Needs to be connected"


class McpServer(models.Model):
    """One server, for every agent or for one. Its sessions belong to its organization alone.

    Values of `env` and `headers` hold references (`secret:NAME`) where something is secret. `version` rises with every
    change that needs a new session; a session of an older version is closed. `next_look_at` is when a server that failed
    is tried again although nobody uses it.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="mcp_servers")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, help_text="Empty: every agent")
    name = models.CharField(max_length=24, help_text="Begins the names of its tools")
    transport = models.CharField(max_length=8, choices=Transport.choices)
    command = models.CharField(max_length=500, blank=True)
    args = models.JSONField(default=list, blank=True)
    env = models.JSONField(default=dict, blank=True)
    url = models.CharField(max_length=1_000, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    oauth = models.BooleanField(default=False, help_text="Sign in by OAuth")
    kinds = models.JSONField(default=list, help_text="The kinds of process that may hold its tools")
    timeout_s = models.PositiveIntegerField(default=60)
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=12, choices=McpState.choices, default=McpState.NEW)
    last_error = models.CharField(max_length=1_000, blank=True)
    server_info = models.CharField(max_length=200, blank=True)
    failures = models.PositiveIntegerField(default=0)
    next_look_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="mcp_server_name_once"),
            models.CheckConstraint(
                condition=Q(transport="stdio", url="") & ~Q(command="")
                | Q(transport="http", command="") & ~Q(url=""),
                name="mcp_server_reached_one_way",
            ),
            models.CheckConstraint(condition=Q(state__in=McpState.values), name="mcp_server_state_known"),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                name="mcp_server_due",
                condition=Q(enabled=True, next_look_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name


class McpTool(models.Model):
    """A tool as its server lists it now, and as an administrator approved it.

    It is offered while `digest`, over what the server says about it, equals `approved_digest`. `approved` keeps the words
    that were approved, to show what changed. `problem` says why it can never be offered as it is.
    """

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="mcp_tools")
    server = models.ForeignKey(McpServer, models.CASCADE, related_name="tools")
    remote_name = models.CharField(max_length=300)
    local_name = models.CharField(max_length=64)
    description = models.TextField(blank=True)
    input_schema = models.JSONField(default=dict)
    reads_only = models.BooleanField(default=False, help_text="What the server says of it")
    digest = models.CharField(max_length=64)
    approved_digest = models.CharField(max_length=64, blank=True)
    approved = models.JSONField(default=dict, blank=True)
    approved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)
    listed = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "remote_name"], name="mcp_tool_once"),
            models.UniqueConstraint(fields=["organization", "local_name"], name="mcp_tool_name_once"),
        ]

    def __str__(self) -> str:
        return self.local_name

    @property
    def is_offered(self) -> bool:
        return self.listed and not self.problem and self.digest == self.approved_digest

    @property
    def waits(self) -> bool:
        """Say whether an administrator has to look at it."""
        return self.listed and not self.problem and self.digest != self.approved_digest


OFFERED = Q(listed=True, problem="", digest=F("approved_digest"))
