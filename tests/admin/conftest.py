from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.factories import Team


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Settings, tmp_path: Path) -> None:
    """Pages can be rendered without collecting static files first."""
    settings.STATIC_ROOT = tmp_path
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def superuser(db: None) -> Client:
    return client_of(User.objects.create_superuser("root@site.test"))


@pytest.fixture
def owner(team: Team) -> Client:
    return client_of(team.owner.user)


@pytest.fixture
def admin_of_acme(team: Team) -> Client:
    return client_of(team.admin.user)


@pytest.fixture
def owner_of_rivals(rivals: Team) -> Client:
    return client_of(rivals.owner.user)
