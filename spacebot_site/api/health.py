"""Whether the site can work; public and silent about everything else."""

from __future__ import annotations

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest
from ninja import Router, Schema, Status

router = Router(tags=["health"])
TIMEOUT_S = 2.0


class HealthOut(Schema):
    status: str
    database: bool
    bus: bool


@router.get("/health", response={200: HealthOut, 503: HealthOut}, auth=None)
def health(request: HttpRequest) -> Status[HealthOut]:
    database, bus = _database_answers(), _bus_answers()
    well = database and bus
    found = HealthOut(status="ok" if well else "unwell", database=database, bus=bus)
    return Status(200 if well else 503, found)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _bus_answers() -> bool:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    )
    try:
        return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        client.close()
