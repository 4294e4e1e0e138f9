"""`bench recall`: how long recall takes among 10,000 and 100,000 memories of one tenant, with 20 tenants beside it."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spacebot_site.bench.database import throwaway_database
from spacebot_site.bench.report import Aim, percentile, show

if TYPE_CHECKING:
    from spacebot_site.bench.recall_data import Source, Tenant

OTHERS, OTHER_SIZE = 20, 250
KEYS = ("p50_ms", "p95_ms", "recall_at_10", "saves_per_s")
SEARCHED = (
    "SELECT id FROM memory_nearest(%s, %s, memory_audible(%s, %s, NULL), 'hashing', %s::vector, 10, "
    + ("NULL, NULL, NULL, NULL, NULL, 300)")
)
EXACT = """
WITH shelf AS MATERIALIZED (
    SELECT id, embedding <=> %s::vector AS distance FROM memory_memory WHERE organization_id = %s AND agent_id = %s
      AND reach = ANY (memory_audible(%s, %s, NULL)) AND forgotten_at IS NULL AND superseded_at IS NULL)
SELECT id FROM shelf ORDER BY distance LIMIT 10
"""
INDEX_MB = """
SELECT sum(pg_relation_size(indexrelid)) / 1e6 FROM pg_index
WHERE indrelid IN ('memory_memory'::regclass, 'memory_posting'::regclass)
"""


@dataclass(frozen=True)
class Amount:
    sizes: tuple[int, ...] = (10_000, 100_000)
    queries: int = 300
    exact: int = 100
    saves: int = 300


QUICK = Amount(sizes=(10_000,), queries=100, exact=40, saves=100)
AIMS = {
    10_000: {"p95_ms": Aim(10), "recall_at_10": Aim(0.97, at_least=True), "saves_per_s": Aim(100, at_least=True)},
    100_000: {"p95_ms": Aim(30), "recall_at_10": Aim(0.97, at_least=True), "saves_per_s": Aim(100, at_least=True)},
}  # fmt: skip


def run(*, quick: bool, as_json: bool) -> int:
    """Exits 1 if anything leaked between tenants or audiences."""
    os.environ["SPACEBOT_EMBEDDER"] = "hashing"
    amount = QUICK if quick else Amount()
    with throwaway_database():
        measured = measure(amount)
    if as_json:
        print(
            json.dumps({str(size): {key: figures[key] for key in KEYS} for size, figures in measured.items()})
        )
    else:
        for size, figures in measured.items():
            print(f"\n{size:,} memories")
            show(figures, AIMS[size], as_json=False)
    return int(any(figures["leaks"] for figures in measured.values()))


def measure(amount: Amount) -> dict[int, dict[str, Any]]:
    from memory.services.frequencies import refresh_frequencies
    from spacebot_site.bench.recall_data import Source, fill, make_tenant

    source = Source()
    for number in range(1, OTHERS + 1):
        fill(make_tenant(number), source, OTHER_SIZE)
    tenant, filled, measured = make_tenant(0), 0, {}
    for size in amount.sizes:
        _tell(f"{size:,} memories: storing")
        with _index_made_afterwards():
            fill(tenant, source, size - filled)
        filled = size
        refresh_frequencies(force=True)
        _execute("VACUUM ANALYZE")
        _tell(f"{size:,} memories: measuring")
        measured[size] = _figures(tenant, source, amount)
    return measured


def _figures(tenant: Tenant, source: Source, amount: Amount) -> dict[str, Any]:
    from memory.embedders.minilm import MiniLM
    from memory.models import Memory

    questions = _questions(tenant, source, amount.queries)
    for text, vector in questions[:20]:
        _recall(tenant, text, vector)
    took, leaks = [], 0
    heard = _heard(tenant)
    for text, vector in questions:
        began = time.perf_counter()
        found = _recall(tenant, text, vector)
        took.append(1000 * (time.perf_counter() - began))
        reaches = Memory.objects.filter(pk__in=[each.id for each in found]).values_list(
            "organization_id", "reach"
        )
        leaks += sum(row not in heard for row in reaches)
    embedder, with_embedding = MiniLM(), []
    embedder.embed(["warm up"])
    for text, vector in questions[:50]:
        began = time.perf_counter()
        embedder.embed([text])
        _recall(tenant, text, vector)
        with_embedding.append(1000 * (time.perf_counter() - began))
    recalled = _against_exact(tenant, questions[: amount.exact])
    return {
        "p50_ms": round(percentile(took, 0.5), 2),
        "p95_ms": round(percentile(took, 0.95), 2),
        "p50_ms_with_embedding": round(percentile(with_embedding, 0.5), 2),
        "p95_ms_with_embedding": round(percentile(with_embedding, 0.95), 2),
        "recall_at_10": round(recalled, 4),
        "saves_per_s": round(_saves(tenant, source, amount.saves), 1),
        "index_mb": round(float(_execute(INDEX_MB)[0][0]), 1),
        "leaks": leaks,
    }


def _questions(tenant: Tenant, source: Source, count: int) -> list[tuple[str, list[float]]]:
    """Return three to six words of a memory, and a vector near one."""
    vectors = source.near(source.vectors(count))
    texts = source.texts(count)
    return [
        (" ".join(text.split()[: 3 + place % 4]), [float(number) for number in vectors[place]])
        for place, text in enumerate(texts)
    ]


def _recall(tenant: Tenant, text: str, vector: list[float]) -> list[Any]:
    from memory.listeners import Listeners
    from memory.recall import recall

    return list(
        recall(text, **tenant.shelf, listeners=Listeners.of([tenant.listener]), limit=10, vector=vector)
    )


def _heard(tenant: Tenant) -> set[tuple[int, int]]:
    from spacebot_site.bench.recall_data import HEARD_ROOMS

    reaches = (0, -tenant.listener, *tenant.rooms[:HEARD_ROOMS])
    return {(tenant.organization_id, reach) for reach in reaches}


def _against_exact(tenant: Tenant, questions: list[tuple[str, list[float]]]) -> float:
    """Return which share of the ten nearest the vector leg finds, among what may be heard."""
    shared = total = 0
    shelf = (tenant.organization_id, tenant.agent_id)
    ears = (tenant.organization_id, [tenant.listener])
    for _, vector in questions:
        found = {row[0] for row in _execute(SEARCHED, [*shelf, *ears, str(vector)])}
        exact = {row[0] for row in _execute(EXACT, [str(vector), *shelf, *ears])}
        shared, total = shared + len(found & exact), total + len(exact)
    return shared / total


def _saves(tenant: Tenant, source: Source, count: int) -> float:
    from memory import types
    from memory.services.saving import save_memory

    texts = source.texts(count)
    began = time.perf_counter()
    for text in texts:
        save_memory(
            **tenant.shelf, type="fact", content=text, heard_by=types.ORGANIZATION, even_if_similar=True
        )
    return count / (time.perf_counter() - began)


class _index_made_afterwards:
    """Drop the vector index while much is stored at once, and make it anew."""

    def __enter__(self) -> None:
        ((self.definition,),) = _execute("SELECT pg_get_indexdef('memory_nearest'::regclass)")
        _execute("DROP INDEX memory_nearest")

    def __exit__(self, *_: object) -> None:
        _execute("SET maintenance_work_mem = '512MB'")
        _execute(self.definition)


def _execute(statement: str, parameters: list[Any] | None = None) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def _tell(what: str) -> None:
    print(f"· {what}", file=sys.stderr, flush=True)
