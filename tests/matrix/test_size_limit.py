"""A request that is too large is refused while most of it is still on its way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from django.conf import settings

from spacebot_site.size_limit import UPLOAD_BYTES, SizeLimit
from tasks.services.wakes.webhooks import MOST_BYTES

MEGABYTE = b"x" * 1024 * 1024


class Sender:
    """A client that would send a gigabyte; counts how much of it was asked for."""

    def __init__(self, chunks: int = 1024) -> None:
        self.left = chunks
        self.taken = 0
        self.told: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        self.left -= 1
        self.taken += 1
        return {"type": "http.request", "body": MEGABYTE, "more_body": self.left > 0}

    async def send(self, event: dict[str, Any]) -> None:
        self.told.append(event)


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


def ask(sender: Sender, path: str = "/api/v1/agents", **headers: str) -> list[dict[str, Any]]:
    scope = {
        "type": "http",
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(SizeLimit(reads_all)(scope, sender.receive, sender.send))
    return sender.told


def is_refusal(told: list[dict[str, Any]]) -> bool:
    start, body = told
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    return start["status"] == 413 and json.loads(body["body"])["status"] == 413


@pytest.mark.parametrize("length", [str(2**31), "9" * 5000])
def test_an_announced_size_is_refused_unread(length: str) -> None:
    sender = Sender()
    assert is_refusal(ask(sender, **{"content-length": length}))
    assert sender.taken == 0


@pytest.mark.parametrize("headers", [{}, {"content-length": "10"}, {"content-length": "x"}])
def test_a_size_that_was_not_announced_is_refused_when_it_is_reached(headers: dict[str, str]) -> None:
    sender = Sender()
    assert is_refusal(ask(sender, **headers))
    assert sender.taken * len(MEGABYTE) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE + len(MEGABYTE)


def test_files_may_be_larger_and_not_endless() -> None:
    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert ask(Sender(chunks=20), **kind)[0]["status"] == 200
    sender = Sender()
    assert is_refusal(ask(sender, **kind))
    assert sender.taken * len(MEGABYTE) <= UPLOAD_BYTES + len(MEGABYTE)


def test_what_fits_passes() -> None:
    assert ask(Sender(chunks=2))[0]["status"] == 200


def test_the_site_stands_behind_the_limit() -> None:
    from spacebot_site.asgi import application

    assert isinstance(application.application_mapping["http"], SizeLimit)


def test_a_webhook_is_cut_off_at_its_own_limit_whatever_it_announces() -> None:
    for headers in ({}, {"content-type": "multipart/form-data; boundary=x"}):
        sender = Sender()
        assert is_refusal(ask(sender, "/hooks/token/", **headers))
        assert sender.taken == 1
    announced = Sender()
    assert is_refusal(ask(announced, "/hooks/token/", **{"content-length": str(MOST_BYTES + 1)}))
    assert announced.taken == 0
