"""Two organizations full of rows, and everyone who might ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from accounts.actor import Actor
from accounts.models import Role, User
from accounts.scopes import allowed_scopes
from accounts.services.tokens import create_token
from tests.admin.rows import make_installation_rows, make_rows
from tests.api.conftest import Api
from tests.factories import Team, make_team
from tests.matrix.rows import make_values

BACKEND = "django.contrib.auth.backends.ModelBackend"
NOBODY, STRANGER, SUPERUSER, NO_SCOPE = "nobody", "stranger", "superuser", "no scope"
PEOPLE = (NOBODY, STRANGER, "member", "moderator", "admin", "owner", SUPERUSER)
INSIDERS = ("member", "moderator", "admin", "owner")


@dataclass
class World:
    """The rows belong to acme. Of its people only the member and a guest take part in the conversation."""

    acme: Team
    rivals: Team
    superuser: User
    values: dict[str, Any]
    rows: dict[type[Model], Model]
    strange_rows: dict[type[Model], Model]
    browsers: dict[str, Client] = field(default_factory=dict)
    tokens: dict[str, Api] = field(default_factory=dict)

    def path(self, template: str) -> str:
        return template.format(**self.values)

    def visitor(self, who: str) -> Client:
        """Return a browser of one's own, which may sign out without signing out others."""
        client = Client()
        client.cookies.update(self.browsers[who].cookies)
        return client


def build_world() -> World:
    acme, rivals = make_team("acme"), make_team("rivals")
    # Staff by mistake: the role decides, not the mark.
    User.objects.filter(pk=acme.moderator.user.pk).update(is_staff=True)
    rows, strange_rows = make_rows(acme), make_rows(rivals)
    rows |= {type(row): row for row in [*make_installation_rows(acme), *_foreign_packages_rows(acme)]}
    values = make_values(acme)
    world = World(acme, rivals, User.objects.create_superuser("root@site.test"), values, rows, strange_rows)
    for name, actor in _actors(world).items():
        world.browsers[name] = browser_of(actor.user)
        world.tokens[name] = Api(Client(), Authorization=f"Bearer {_token(actor)}")
    world.browsers[SUPERUSER] = browser_of(world.superuser)
    world.browsers[NOBODY] = Client()
    world.tokens[NOBODY] = Api(Client())
    return world


def _actors(world: World) -> dict[str, Actor]:
    return {STRANGER: world.rivals.owner, **{name: getattr(world.acme, name) for name in INSIDERS}}


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


def _token(actor: Actor, *scopes: str) -> str:
    return create_token(actor, name="all", scopes=scopes or allowed_scopes(actor.role))[1]


def without_scope(world: World, scope: str) -> Api:
    """Return the owner's client whose token may do everything but this."""
    scopes = allowed_scopes(Role.OWNER) - {scope}
    return Api(Client(), Authorization=f"Bearer {_token(world.acme.owner, *scopes)}")


def _foreign_packages_rows(team: Team) -> list[Model]:
    """Return a row of each model that another package brings and the admin shows."""
    from allauth.account.models import EmailAddress

    hourly = IntervalSchedule.objects.create(every=1, period="hours")
    return [
        hourly,
        PeriodicTask.objects.create(name="a task of a test", task="nothing", interval=hourly),
        ClockedSchedule.objects.create(clocked_time=timezone.now()),
        CrontabSchedule.objects.create(),
        SolarSchedule.objects.create(event="sunrise", latitude=1, longitude=1),
        EmailAddress.objects.create(user=team.member.user, email="second@acme.test"),
    ]


def registered_models() -> list[type[Model]]:
    return sorted(admin.site._registry, key=lambda model: model._meta.label)


@contextmanager
def undone() -> Iterator[None]:
    """Let something happen and take it back, so that the next one finds the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
