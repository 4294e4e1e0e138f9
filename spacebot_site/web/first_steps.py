"""The first steps, each with a real check. A step without a row behind it is not done."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Membership, Role
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
    routes = Route.objects.filter(
        organization=actor.organization, entry__enabled=True, entry__provider__enabled=True
    )
    return routes.exclude(entry__provider__kind__in=STAND_INS).exists()


def first_steps(actor: Actor) -> list[FirstStep]:
    """Return the steps in order; six queries."""
    organization = actor.organization
    runs = Run.objects.filter(organization=organization, state=RunState.SUCCEEDED)
    answered = LedgerEntry.objects.filter(organization=organization, outcome=Outcome.SUCCEEDED)
    steps = [
        FirstStep("Sign in", f"You are signed in as {actor.user.email}.", True),
        FirstStep(
            "Have an agent",
            "An agent is a colleague with a character, an identity and a role.",
            Agent.objects.filter(organization=organization, enabled=True).exists(),
            "See the agents",
            reverse("agents"),
        ),
        FirstStep(
            "Say hello",
            "Write to an agent and get its answer.",
            Message.objects.filter(organization=organization, direction=Direction.OUTBOUND).exists(),
            "Start a conversation",
            reverse("new_conversation"),
        ),
        FirstStep(
            "Hand over some work",
            "Ask for a file to be written, and watch the worker finish.",
            runs.filter(kind=RunKind.WORKER).exists(),
            "Go to chat",
            reverse("chat"),
        ),
    ]
    if actor.has_level(Role.ADMIN):
        real = has_real_model(actor)
        steps.insert(
            2,
            FirstStep(
                "Connect a model",
                "Models answer through a provider of your choice."
                if real
                else "No model is connected. A built-in stand-in answers, and can only show how things work.",
                real and answered.exclude(provider_name__in=("", "offline")).exists(),
                "Add a provider",
                reverse("models"),
            ),
        )
        steps.append(
            FirstStep(
                "Bring in a colleague",
                "Shared conversations have several people in them.",
                Membership.objects.filter(organization=organization).count() > 1,
                "See the members",
                reverse("members"),
            )
        )
    return steps
