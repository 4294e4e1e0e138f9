"""The first steps, each with a real check. A step without a row behind it is not done."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Membership, Organization, Role
from agents.models import Agent, Run, RunKind, RunState
from llm.models import LedgerEntry, Outcome, ProviderKind, Route
from messaging.models import Direction, Message

STAND_INS = (ProviderKind.OFFLINE, ProviderKind.SCRIPTED)


@dataclass(frozen=True)
class FirstStep:
    title: str
    explanation: str
    done: bool
    action: str = ""
    url: str = ""


def has_real_model(actor: Actor) -> bool:
    """Tell whether a route leads to a provider that is not the offline stand-in."""
    return _real_routes().filter(organization=actor.organization).exists()


def _real_routes() -> QuerySet[Route]:
    routes = Route.objects.filter(entry__enabled=True, entry__provider__enabled=True)
    return routes.exclude(entry__provider__kind__in=STAND_INS)


def _facts(actor: Actor) -> dict[str, bool]:
    """Look for a row behind each step, all in one query."""
    here = OuterRef("pk")
    answered = LedgerEntry.objects.filter(organization=here, outcome=Outcome.SUCCEEDED)
    worked = Run.objects.filter(organization=here, kind=RunKind.WORKER, state=RunState.SUCCEEDED)
    others = Membership.objects.filter(organization=here).exclude(user=actor.user)
    wanted = {
        "has_agent": Agent.objects.filter(organization=here, enabled=True),
        "has_reply": Message.objects.filter(organization=here, direction=Direction.OUTBOUND),
        "has_work": worked,
        "has_model": _real_routes().filter(organization=here),
        "has_answer": answered.exclude(provider_name__in=("", "offline")),
        "has_colleague": others,
    }
    rows = Organization.objects.filter(pk=actor.organization.pk)
    told = rows.annotate(**{name: Exists(found) for name, found in wanted.items()}).values_list(*wanted).get()
    return dict(zip(wanted, told, strict=True))


def first_steps(actor: Actor) -> list[FirstStep]:
    """Return the steps in order."""
    facts = _facts(actor)
    steps = [
        FirstStep("Sign in", f"You are signed in as {actor.user.email}.", True),
        FirstStep(
            "Have an agent",
            "An agent is a colleague with a character, an identity and a role.",
            facts["has_agent"],
            "See the agents",
            reverse("agents"),
        ),
        FirstStep(
            "Say hello",
            "Write to an agent and get its answer.",
            facts["has_reply"],
            "Start a conversation",
            reverse("new_conversation"),
        ),
        FirstStep(
            "Hand over some work",
            "Ask for a file to be written, and watch the worker finish.",
            facts["has_work"],
            "Go to chat",
            reverse("chat"),
        ),
    ]
    if actor.has_level(Role.ADMIN):
        real = facts["has_model"]
        steps.insert(
            2,
            FirstStep(
                "Connect a model",
                "Models answer through a provider of your choice."
                if real
                else "No model is connected. A built-in stand-in answers, and can only show how things work.",
                real and facts["has_answer"],
                "Add a provider",
                reverse("models"),
            ),
        )
        steps.append(
            FirstStep(
                "Bring in a colleague",
                "Shared conversations have several people in them.",
                facts["has_colleague"],
                "See the members",
                reverse("members"),
            )
        )
    return steps
