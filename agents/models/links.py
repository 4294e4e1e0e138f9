"""Who reports to whom, and who may hand work to whom."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounts.models import Organization, User
from agents.models.agent import Agent


class LinkKind(models.TextChoices):
    HIERARCHY = "hierarchy", "Leads"
    PEER = "peer", "Works with"


class AgentLink(models.Model):
    """An edge between two agents, or between a person and an agent.

    In a hierarchy the first leads the second. Work goes from the first to the second; with `two_way` also back. A person
    can only be the first: nobody hands work to people here. There is one link between two at most; `pair` holds both ends
    in a fixed order.
    """

    organization = models.ForeignKey(Organization, models.CASCADE)
    first_agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, related_name="links_out")
    first_user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    second_agent = models.ForeignKey(Agent, models.CASCADE, related_name="links_in")
    kind = models.CharField(max_length=12, choices=LinkKind.choices, default=LinkKind.HIERARCHY)
    two_way = models.BooleanField(default=False)
    pair = models.CharField(max_length=60, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "pair"], name="agent_link_once"),
            models.CheckConstraint(
                condition=Q(first_agent__isnull=False, first_user__isnull=True)
                | Q(first_agent__isnull=True, first_user__isnull=False, two_way=False),
                name="agent_link_from_one",
            ),
            models.CheckConstraint(
                condition=Q(first_agent__isnull=True) | ~Q(first_agent=F("second_agent")),
                name="agent_link_of_two",
            ),
            models.CheckConstraint(condition=Q(kind__in=LinkKind.values), name="agent_link_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.first_agent or self.first_user} → {self.second_agent}"
