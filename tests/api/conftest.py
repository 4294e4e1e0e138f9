"""Clients for the API: by token, by session, by nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.factories import Team, make_team


@pytest.fixture
def acme(transactional_db: None) -> Team:
    return make_team("acme")


@pytest.fixture
def others(transactional_db: None) -> Team:
    return make_team("others")


@dataclass(frozen=True)
class Upload:
    """A body with a file in its field `file`."""

    name: str
    content: bytes
    fields: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        file = SimpleUploadedFile(self.name, self.content)
        return encode_multipart(BOUNDARY, {"file": file, **self.fields})


class Api:
    """A client that speaks JSON under /api/v1."""

    def __init__(self, client: Client, **headers: str) -> None:
        self.client = client
        self.headers = headers

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        is_upload = isinstance(body, Upload)
        return self.client.generic(
            method.upper(),
            f"/api/v1{path}",
            body.encode() if is_upload else b"" if body is None else json.dumps(body),
            content_type=MULTIPART_CONTENT if is_upload else "application/json",
            headers={**self.headers, **headers},
        )

    def get(self, path: str) -> Any:
        return self("GET", path)

    def post(self, path: str, body: Any) -> Any:
        return self("POST", path, body)


def as_token(actor: Any, *scopes: str) -> Api:
    from accounts.scopes import allowed_scopes
    from accounts.services.tokens import create_token

    raw = create_token(actor, name="test", scopes=scopes or allowed_scopes(actor.role))[1]
    return Api(Client(), Authorization=f"Bearer {raw}")


def as_session(actor: Any) -> Api:
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return Api(client)
