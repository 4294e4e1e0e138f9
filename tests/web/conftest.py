from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.actor import Actor

SignIn = Callable[[Actor], Client]


@pytest.fixture(autouse=True)
def _plain_static_names(settings: object) -> None:
    """Pages ask for static files by name; the hashed names exist only after they were collected."""
    storages = dict(settings.STORAGES)  # type: ignore[attr-defined]
    storages["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = storages  # type: ignore[attr-defined]


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(actor: Actor) -> Client:
        client = Client()
        client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
