"""Turn `DATABASE_URL`, `REDIS_URL` and `SPACEBOT_EMAIL_URL` into what Django and Celery want."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PREPARE_AFTER = 3
CLOSE_ONE_AFTER_S = 15
"""A pool that has had a spare connection for so long closes one."""


def database_settings(url: str, *, pool_size: int) -> dict[str, Any]:
    """Return Django's settings for a PostgreSQL URL; a `host` in the query names a unix socket's folder.

    Statements that come back are prepared, which halves what they cost PostgreSQL. A pooler that hands each
    transaction to another server and cannot follow them wants `?prepared=off`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL must begin with postgresql://, not {parts.scheme or 'nothing'}://"
        )
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or parts.hostname or ""
    prepared = options.pop("prepared", "on") != "off"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": {
            **options,
            "connect_timeout": 10,
            "server_side_binding": prepared,
            "prepare_threshold": PREPARE_AFTER if prepared else None,
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 30, "max_idle": CLOSE_ONE_AFTER_S},
        },
    }


def celery_broker_url(redis_url: str) -> str:
    """Return kombu's spelling of a Redis URL: it writes unix sockets as redis+socket://."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    options = dict(parse_qsl(parts.query))
    password = f":{quote(unquote(parts.password), safe='')}@" if parts.password else ""
    return f"redis+socket://{password}{parts.path}?virtual_host={options.get('db', '0')}"


def email_settings(url: str) -> dict[str, Any]:
    """Return Django's mail settings for smtp://user:password@host:port?from=address; smtps:// is TLS from the start.

    With smtp:// the connection is made secure by STARTTLS unless the address says `starttls=off`.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured(
            "SPACEBOT_EMAIL_URL must look like smtp://user:password@host:587?from=bot@example.org"
        )
    options = dict(parse_qsl(parts.query))
    secure = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if secure else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and options.get("starttls", "on") != "off",
        "EMAIL_TIMEOUT": 20,
        "DEFAULT_FROM_EMAIL": options.get("from")
        or unquote(parts.username or "")
        or f"spacebot@{parts.hostname}",
    }
