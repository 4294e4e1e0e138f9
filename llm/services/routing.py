"""Which models may answer a call, in order, with their keys.

An organization's rows are read once and kept in the process until its version counter in the cache moves (our
own writes move it) or five seconds have passed (whoever else wrote). Keys stay in memory and nowhere else.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from django.core.cache import cache
from django.db import transaction
from redis.exceptions import RedisError

from llm.clients.endpoint import Endpoint
from llm.clients.offline import MODEL_NAME
from llm.models import ModelEntry, Process, Provider, ProviderKind, Route
from secret_store.errors import KeyUnavailable, SecretNotFound
from secret_store.services import read_secret

log = logging.getLogger(__name__)

KEEP_S = 5.0
TRUST_S = 0.05
"""One turn asks more than once; the version is not read again within this time."""
OFFLINE_WINDOW = 128_000


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens; None where unknown."""

    input: Decimal | None = None
    output: Decimal | None = None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None


@dataclass(frozen=True)
class Candidate:
    """One model that may answer. `key_problem` says why its key cannot be used, if so."""

    entry_id: int
    model: str
    provider_name: str
    endpoint: Endpoint
    context_window: int
    max_output_tokens: int
    prices: Prices = Prices()
    key_problem: str = ""


@dataclass(frozen=True)
class Routing:
    """The models of one organization: all that are enabled, and the order for each process."""

    entries: dict[int, Candidate]
    routes: dict[str, tuple[int, ...]]

    def candidates(self, process: str, *, model_override: int | None = None) -> list[Candidate]:
        """Return who may answer, first choice first; the offline stand-in if nobody is set up."""
        wanted = list(self.routes.get(process) or self.routes.get(Process.CHANNEL) or tuple(self.entries)[:1])
        if model_override in self.entries:
            wanted = [model_override, *(entry for entry in wanted if entry != model_override)]
        return [self.entries[entry] for entry in wanted] or [OFFLINE]


OFFLINE = Candidate(
    entry_id=0,
    model=MODEL_NAME,
    provider_name=MODEL_NAME,
    endpoint=Endpoint(kind=ProviderKind.OFFLINE, api_key=""),
    context_window=OFFLINE_WINDOW,
    max_output_tokens=8_192,
    prices=Prices(*(Decimal(0) for _ in range(4))),
)


@dataclass(frozen=True)
class _Kept:
    version: int | None
    read_at: float
    routing: Routing
    checked_at: float = 0.0


_kept: dict[int, _Kept] = {}
_locks: dict[int, threading.Lock] = {}


def get_routing(organization_id: int) -> Routing:
    """Return the organization's models. No query while what is kept is fresh.

    Nobody waits here for whoever reads the rows: a caller may hold a database connection, and enough of them would
    keep the reader from getting one. The others go on with what is kept, or read for themselves.
    """
    kept = _kept.get(organization_id)
    if kept is not None and time.monotonic() - kept.checked_at < TRUST_S:
        return kept.routing
    version = _read_version(organization_id)
    found = _fresh(organization_id, version)
    if found is not None:
        if kept is not None and kept.routing is found:
            _kept[organization_id] = replace(kept, checked_at=time.monotonic())
        return found
    lock = _locks.setdefault(organization_id, threading.Lock())
    reads = lock.acquire(blocking=False)
    try:
        kept = _kept.get(organization_id)
        if not reads and kept is not None and kept.version == version:
            return kept.routing
        found = _load(organization_id)
        _kept[organization_id] = _Kept(version, time.monotonic(), found, checked_at=time.monotonic())
        return found
    finally:
        if reads:
            lock.release()


def forget_routing(organization_id: int) -> None:
    """Make every process read the organization's rows again, once the transaction is committed."""
    _kept.pop(organization_id, None)
    transaction.on_commit(partial(_move_version, organization_id), robust=True)


def _move_version(organization_id: int) -> None:
    _kept.pop(organization_id, None)
    try:
        key = _version_key(organization_id)
        cache.add(key, 0, timeout=None)
        cache.incr(key)
    except (RedisError, ValueError):
        log.warning("the cache is unreachable: other processes see the new models in %s s", KEEP_S)


def _fresh(organization_id: int, version: int | None) -> Routing | None:
    kept = _kept.get(organization_id)
    if kept is None or kept.version != version or time.monotonic() - kept.read_at > KEEP_S:
        return None
    return kept.routing


def _version_key(organization_id: int) -> str:
    return f"llm:routing:{organization_id}"


def _read_version(organization_id: int) -> int | None:
    try:
        found: int | None = cache.get(_version_key(organization_id))
    except RedisError:
        return None
    return found


def _load(organization_id: int) -> Routing:
    rows = ModelEntry.objects.filter(
        organization_id=organization_id, enabled=True, provider__enabled=True
    ).select_related("provider")
    endpoints: dict[int, tuple[Endpoint, str]] = {}
    entries: dict[int, Candidate] = {}
    for row in rows.order_by("id"):
        if row.provider_id not in endpoints:
            endpoints[row.provider_id] = endpoint_for(row.provider)
        endpoint, problem = endpoints[row.provider_id]
        entries[row.pk] = candidate_for(row, endpoint, key_problem=problem)
    routes: dict[str, tuple[int, ...]] = {}
    if entries:
        for process, entry_id in (
            Route.objects.filter(organization_id=organization_id, entry_id__in=entries)
            .order_by("process", "position")
            .values_list("process", "entry_id")
        ):
            routes[process] = (*routes.get(process, ()), entry_id)
    return Routing(entries=entries, routes=routes)


def candidate_for(row: ModelEntry, endpoint: Endpoint, *, key_problem: str = "") -> Candidate:
    """Return the row as a candidate."""
    return Candidate(
        entry_id=row.pk,
        model=row.name,
        provider_name=row.provider.name,
        endpoint=endpoint,
        context_window=min(row.context_window, row.learned_window or row.context_window),
        max_output_tokens=row.max_output_tokens,
        prices=Prices(row.input_price, row.output_price, row.cache_read_price, row.cache_write_price),
        key_problem=key_problem,
    )


def endpoint_for(provider: Provider) -> tuple[Endpoint, str]:
    """Return where the provider is reached, with its key, and why the key cannot be read, if so."""
    api_key, problem = "", ""
    if provider.secret_name:
        try:
            api_key = read_secret(
                provider.organization_id, provider.secret_name, purpose=f"model provider {provider.name}"
            )
        except (SecretNotFound, KeyUnavailable) as error:
            problem = str(error)
            log.error("the key of provider %s cannot be read: %s", provider.pk, problem)
    endpoint = Endpoint(
        kind=provider.kind,
        api_key=api_key,
        base_url=provider.base_url,
        provider_id=provider.pk,
        timeout_s=float(provider.timeout_s),
    )
    return endpoint, problem
