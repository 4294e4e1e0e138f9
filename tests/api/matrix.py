"""The one table of who may do what over HTTP. A route that is not in it fails the suite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from accounts.models import Role
from tests.factories import Team

MEMBER, ADMIN = Role.MEMBER, Role.ADMIN
Body = Callable[["Rows"], Any]


@dataclass
class Rows:
    """Fresh rows of the first team for one attempt. The conversation is shared by member and `guest`."""

    team: Team
    conversation_id: int = 0
    run_id: int = 0
    token_id: int = 0
    user_id: int = 0
    provider_id: int = 0
    model_id: int = 0
    number: int = 0

    def path(self, template: str) -> str:
        values = {
            **vars(self),
            "agent_id": self.team.agent.pk,
            "name": f"KEY_{self.number}",
            "process": "branch",
        }
        return template.format(**values)


@dataclass(frozen=True)
class Rule:
    """`ok` for those of at least `lowest`, 403 below. `stranger` is what another team's owner gets.

    `participants`: only who takes part gets `ok`, others 404. `owned`: as `participants`, for members only.
    `public`: everyone, even nobody.
    """

    ok: int = 200
    lowest: Role = MEMBER
    stranger: int = 200
    body: Body | None = None
    participants: bool = False
    owned: bool = False
    public: bool = False


def _nothing(rows: Rows) -> dict[str, Any]:
    return {}


OPENAI = {"kind": "openai_chat", "api_key": "sk-0123456789abcdef"}

RULES: dict[str, Rule] = {
    "GET /health": Rule(public=True),
    "GET /organizations": Rule(),
    "GET /organization": Rule(),
    "PATCH /organization": Rule(lowest=ADMIN, body=lambda rows: {"name": "New"}),
    "GET /members": Rule(),
    "POST /members": Rule(201, ADMIN, 201, lambda rows: {"email": f"new{rows.number}@acme.test"}),
    "GET /members/{user_id}": Rule(stranger=404),
    "PATCH /members/{user_id}": Rule(200, ADMIN, 404, lambda rows: {"role": "moderator"}),
    "DELETE /members/{user_id}": Rule(204, ADMIN, 404),
    "GET /tokens": Rule(),
    "POST /tokens": Rule(201, stranger=201, body=lambda rows: {"name": "n", "scopes": ["tokens:write"]}),
    "DELETE /tokens/{token_id}": Rule(204, MEMBER, 404, owned=True),
    "GET /audit": Rule(lowest=ADMIN),
    "GET /secrets": Rule(lowest=ADMIN),
    "PUT /secrets/{name}": Rule(200, ADMIN, 200, lambda rows: {"value": "a long enough value"}),
    "DELETE /secrets/{name}": Rule(204, ADMIN, 404),
    "GET /events": Rule(),
    "GET /events/history": Rule(),
    "GET /providers": Rule(),
    "POST /providers": Rule(201, ADMIN, 201, lambda rows: {"name": f"New {rows.number}", **OPENAI}),
    "GET /providers/{provider_id}": Rule(stranger=404),
    "PATCH /providers/{provider_id}": Rule(200, ADMIN, 404, lambda rows: {"timeout_s": 20}),
    "DELETE /providers/{provider_id}": Rule(204, ADMIN, 404),
    "GET /models": Rule(),
    "POST /models": Rule(
        201, ADMIN, 404, lambda rows: {"provider_id": rows.provider_id, "name": f"m{rows.number}"}
    ),
    "GET /models/{model_id}": Rule(stranger=404),
    "PATCH /models/{model_id}": Rule(200, ADMIN, 404, lambda rows: {"label": "x"}),
    "DELETE /models/{model_id}": Rule(204, ADMIN, 404),
    "POST /models/{model_id}/test": Rule(200, ADMIN, 404),
    "GET /routes": Rule(),
    "PUT /routes/{process}": Rule(200, ADMIN, 404, lambda rows: {"model_ids": [rows.model_id]}),
    "GET /agents": Rule(),
    "POST /agents": Rule(201, ADMIN, 201, lambda rows: {"name": f"A{rows.number}"}),
    "GET /agents/{agent_id}": Rule(stranger=404),
    "PATCH /agents/{agent_id}": Rule(200, ADMIN, 404, lambda rows: {"tagline": "x"}),
    "GET /conversations": Rule(),
    "POST /conversations": Rule(201, MEMBER, 404, lambda rows: {"agent_id": rows.team.agent.pk}),
    "GET /conversations/{conversation_id}": Rule(stranger=404, participants=True),
    "PATCH /conversations/{conversation_id}": Rule(
        200, MEMBER, 404, lambda rows: {"title": "x"}, participants=True
    ),
    "POST /conversations/{conversation_id}/read": Rule(204, MEMBER, 404, _nothing, participants=True),
    "GET /conversations/{conversation_id}/participants": Rule(stranger=404, participants=True),
    "POST /conversations/{conversation_id}/participants": Rule(
        201, MEMBER, 404, lambda rows: {"user_id": rows.team.moderator.user.pk}, participants=True
    ),
    "DELETE /conversations/{conversation_id}/participants/{user_id}": Rule(
        204, MEMBER, 404, participants=True
    ),
    "GET /conversations/{conversation_id}/messages": Rule(stranger=404, participants=True),
    "POST /conversations/{conversation_id}/messages": Rule(
        201, MEMBER, 404, lambda rows: {"text": "hello"}, participants=True
    ),
    "GET /runs": Rule(),
    "GET /runs/{run_id}": Rule(stranger=404, participants=True),
    "GET /runs/{run_id}/steps": Rule(stranger=404, participants=True),
    "POST /runs/{run_id}/cancel": Rule(200, MEMBER, 404, _nothing, participants=True),
    "POST /runs/{run_id}/retry": Rule(201, MEMBER, 404, participants=True),
}

GLOBAL_MODELS = {
    "accounts.User": "a login may belong to several organizations; reached through memberships",
    "accounts.Organization": "the tenant itself",
    "accounts.SignInLink": "belongs to a user; only its digest is stored",
    "secrets.DataKey": "wraps secrets of the whole installation; useless without the master key",
    "admin.LogEntry": "Django's own; shown to superusers",
    "auth.Permission": "Django's own catalogue",
    "auth.Group": "Django's own; unused",
    "contenttypes.ContentType": "Django's own catalogue",
    "sessions.Session": "belongs to a browser",
    "django_celery_beat.SolarSchedule": "the installation's schedule",
    "django_celery_beat.IntervalSchedule": "the installation's schedule",
    "django_celery_beat.ClockedSchedule": "the installation's schedule",
    "django_celery_beat.CrontabSchedule": "the installation's schedule",
    "django_celery_beat.PeriodicTasks": "the installation's schedule",
    "django_celery_beat.PeriodicTask": "the installation's schedule",
    "account.EmailAddress": "belongs to a user",
    "account.EmailConfirmation": "belongs to a user",
}

SOCKETS = {"api/v1/events"}
