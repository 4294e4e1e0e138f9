"""What the description promises, tried with generated requests: nothing fails, every answer has its shape.

The examples are derived from the description alone, so every run tries the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.matrix.table import COROUTINES
from tests.matrix.table.memory_export import STREAMED
from tests.matrix.world import World, undone

pytestmark = pytest.mark.django_db

EXAMPLES = 2
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
DESCRIPTION = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
for _operation in [*COROUTINES, *STREAMED]:
    _method, _path = _operation.split(" ")
    DESCRIPTION = DESCRIPTION.exclude(method=_method, path=f"/api/v1{_path}")


@pytest.fixture(scope="module", autouse=True)
def _connection_stays_open() -> Iterator[None]:
    """A request through WSGI would close it, and with it the transaction that holds the world."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@DESCRIPTION.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: Any, world: World) -> None:
    """Each request is made as generated, and again about rows that are there."""
    generated = dict(case.path_parameters or {})
    for parameters in (generated, {name: world.values.get(name, value) for name, value in generated.items()}):
        case.path_parameters = parameters
        who = "member" if "conversation" in case.path or "run" in case.path else "owner"
        with undone():
            response = case.call(headers=world.tokens[who].headers)
        case.validate_response(response, checks=CHECKS)
        if response.status_code >= 400:
            is_problem(response)


def is_problem(response: Any) -> None:
    assert response.headers["content-type"] == ["application/problem+json"]
    body = response.json()
    assert body["status"] == response.status_code
    assert body["detail"]
