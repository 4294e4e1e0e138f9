"""Every route × everyone, against the table in `matrix.py`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, Membership, Organization, Person, Role, User
from agents.models import Run
from llm.models import ModelEntry, Provider
from messaging.services.conversations import start_conversation
from secret_store.services import set_secret
from spacebot_site.api.docs import schema
from tests.api.conftest import Api, as_session, as_token
from tests.api.matrix import GLOBAL_MODELS, RULES, SOCKETS, Rows, Rule
from tests.factories import Team

_numbers = itertools.count(1)
OPERATIONS = sorted(
    f"{method.upper()} {path.removeprefix('/api/v1')}"
    for path, operations in schema()["paths"].items()
    for method in operations
)


def test_every_route_is_in_the_table() -> None:
    assert sorted(RULES) == OPERATIONS


def make_rows(team: Team) -> Rows:
    """Make fresh rows, so that what one attempt destroys the next one finds again."""
    number = next(_numbers)
    user = User.objects.create(email=f"guest{number}@acme.test")
    Membership.objects.create(organization=team.organization, user=user, role=Role.MEMBER)
    Person.objects.create(organization=team.organization, user=user, display_name="Guest")
    conversation = start_conversation(
        team.member, agent_id=team.agent.pk, kind="group", title="x", user_ids=[user.pk]
    )
    run = Run.objects.create(
        organization=team.organization,
        agent=team.agent,
        conversation=conversation,
        kind="worker",
        state="failed",
        due_at=timezone.now(),
        finished_at=timezone.now(),
        input={"task": "x"},
    )
    provider = Provider.objects.create(organization=team.organization, name=f"p{number}", kind="offline")
    entry = ModelEntry.objects.create(organization=team.organization, provider=provider, name="offline")
    token = ApiToken.objects.create(
        organization=team.organization, user=team.member.user, name="t", digest=f"{number}"
    )
    set_secret(None, team.organization, name=f"KEY_{number}", value="a value that is long enough")
    return Rows(team, conversation.pk, run.pk, token.pk, user.pk, provider.pk, entry.pk, number)


def expected(rule: Rule, who: str) -> int:
    if rule.public:
        return rule.ok
    if who == "nobody":
        return 401
    if who == "no scope":
        return 403
    if who == "stranger":
        return rule.stranger
    role = Role(who)
    if role.level < rule.lowest.level:
        return 403
    if rule.participants and role != Role.MEMBER:
        return 404
    if rule.owned and role == Role.MODERATOR:
        return 404
    return rule.ok


def clients(acme: Team, others: Team, way: str, other_scope: str) -> dict[str, Api]:
    make = as_token if way == "token" else as_session
    found = {
        "nobody": Api(Client()),
        "stranger": make(others.owner),
        "member": make(acme.member),
        "moderator": make(acme.moderator),
        "admin": make(acme.admin),
        "owner": make(acme.owner),
    }
    if way == "token":
        found["no scope"] = as_token(acme.owner, other_scope)
    return found


ASYNCHRONOUS = ["GET /events", "POST /conversations/{conversation_id}/messages"]


@pytest.mark.parametrize("way", ["token", "session"])
@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each not in ASYNCHRONOUS])
def test_everyone_gets_what_the_table_says(team: Any, rivals: Any, operation: str, way: str) -> None:
    assert surprises(team, rivals, operation, way) == []


@pytest.mark.parametrize("way", ["token", "session"])
@pytest.mark.parametrize("operation", ASYNCHRONOUS)
def test_everyone_gets_what_the_table_says_from_coroutines(
    acme: Any, others: Any, operation: str, way: str
) -> None:
    assert surprises(acme, others, operation, way) == []


def surprises(acme: Team, others: Team, operation: str, way: str) -> list[tuple[str, int, int]]:
    """Return who got another status than the table says: (who, wanted, got)."""
    rule = RULES[operation]
    method, template = operation.split(" ")
    found = []
    other_scope = "agents:read" if "runs" in template else "runs:write"
    for who, api in clients(acme, others, way, other_scope).items():
        rows = make_rows(acme)
        response = api(method, rows.path(template), rule.body(rows) if rule.body else None)
        if response.streaming:
            response.close()
        if response.status_code != expected(rule, who):
            found.append((who, expected(rule, who), response.status_code))
    return found


def test_every_model_has_an_organization_or_a_reason() -> None:
    without = {
        model._meta.label
        for model in apps.get_models()
        if not any(
            field.concrete and field.related_model is Organization for field in model._meta.get_fields()
        )
    }
    assert without == set(GLOBAL_MODELS)


def test_every_socket_is_classified() -> None:
    from spacebot_site.asgi import websocket_urls

    assert {str(entry.pattern) for entry in websocket_urls if str(entry.pattern)} == SOCKETS
