"""What is well and what is not in an installation, with how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.errors import AccountsError
from agents.browser import walls
from agents.browser.errors import NoBrowser
from agents.browser.finding import find_chromium
from agents.coding.choosing import BACKENDS
from agents.coding.errors import NoBackend, WrongProgram
from agents.models import SandboxMode, SandboxSetting
from agents.sandbox import probe
from llm.models import Provider
from secret_store.master_key import load_master_key
from secret_store.models import DataKey

TIMEOUT_S = 3.0


class Unwell(Exception):
    """`str(error)` says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Finding:
    name: str
    good: bool
    text: str


def examine() -> Iterator[Finding]:
    """Make each check in turn; what needs the database is left out when it does not answer."""
    for name, check in CHECKS.items():
        try:
            yield Finding(name, True, check())
        except (Unwell, AccountsError) as error:
            yield Finding(name, False, str(error))
        except DatabaseError as error:
            first_line = str(error).splitlines()[0]
            yield Finding(name, False, f"the database does not answer ({first_line}): is DATABASE_URL right?")
            return


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version'), current_setting('server_version_num')::int")
        version, number = cursor.fetchone()
        cursor.execute("select default_version from pg_available_extensions where name = 'vector'")
        vector = cursor.fetchone()
    if number < 150_000:
        raise Unwell(f"PostgreSQL {version} is too old: 15 or newer is needed")
    if vector is None:
        raise Unwell("PostgreSQL has no pgvector: install it on the database server")
    return f"PostgreSQL {version}, pgvector {vector[0]}"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise Unwell(f"{len(waiting)} migrations wait: ./spacebot restart runs them")
    return "up to date"


def _broker() -> str:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
    ) as client:
        try:
            return f"Redis protocol, version {client.info('server')['redis_version']}"
        except (redis.RedisError, OSError) as error:
            raise Unwell(f"the broker does not answer ({error}): is REDIS_URL right?") from None


def _master_key() -> str:
    if not DataKey.objects.exists():
        return "made with the first secret"
    return f"from {load_master_key(create=False).source}"


def _providers() -> str:
    names = sorted(set(Provider.objects.filter(enabled=True).values_list("name", flat=True)))
    return ", ".join(names) or "none yet: the offline stand-in answers; add one under Models in the pages"


def _sandbox() -> str:
    found = probe.trials()
    words = [trial.name if trial.works else f"{trial.name} not ({trial.reason})" for trial in found]
    if not any(trial.works for trial in found):
        raise Unwell(f"commands of agents are refused: {'; '.join(words)}. Install bubblewrap")
    bare = SandboxSetting.objects.filter(mode=SandboxMode.NONE).values_list("organization__slug", flat=True)
    switched_off = f"; switched off by: {', '.join(sorted(set(bare)))}" if bare else ""
    return f"{', '.join(words)}{switched_off}"


def _browser() -> str:
    try:
        chromium = find_chromium()
        return f"{chromium} behind {walls.name_of(walls.sandbox_here())}"
    except NoBrowser as error:
        if settings.SPACEBOT_CHROMIUM:
            raise Unwell(str(error)) from None
        return f"none: {error}"


def _coding() -> str:
    found, missing = [], []
    for backend in BACKENDS.values():
        try:
            found.append(f"{backend.title} at {backend.find()}")
        except WrongProgram as error:
            raise Unwell(str(error)) from None
        except NoBackend as error:
            missing.append(str(error))
    return ", ".join(found) or f"none: {'; '.join(missing)}"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "master key": _master_key,
    "providers": _providers,
    "sandbox": _sandbox,
    "browser": _browser,
    "coding": _coding,
}
