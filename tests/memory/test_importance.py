from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.importance import PINNED, importance_now
from memory.models import MemoryType

TYPES = st.sampled_from(MemoryType.values)
SHARES = st.floats(0, 1).map(lambda share: round(share, 6))
DAYS = st.floats(0, 5_000).map(lambda days: round(days, 9))
COUNTS = st.integers(0, 10_000)


@given(base=SHARES, type=TYPES, pinned=st.booleans(), age=DAYS, idle=DAYS, accesses=COUNTS, edges=COUNTS)
def test_it_stays_between_nothing_and_everything(
    base: float, type: str, pinned: bool, age: float, idle: float, accesses: int, edges: int
) -> None:
    now = importance_now(
        base, type=type, pinned=pinned, age_days=age, idle_days=idle, accesses=accesses, edges=edges
    )
    assert 0 <= now <= 1
    assert now >= 0.4 * base
    if pinned:
        assert now >= PINNED


@given(base=SHARES, type=TYPES, age=DAYS, more=st.floats(0, 1_000), accesses=COUNTS)
def test_it_fades_with_time_and_rises_with_use(
    base: float, type: str, age: float, more: float, accesses: int
) -> None:
    now = importance_now(base, type=type, age_days=age, accesses=accesses)
    assert importance_now(base, type=type, age_days=age + more, accesses=accesses) <= now
    assert importance_now(base, type=type, age_days=age, accesses=accesses + 1) >= now
    assert importance_now(base, type=type, age_days=age, accesses=accesses, edges=1) >= now


@given(base=SHARES, age=DAYS)
def test_identity_does_not_fade(base: float, age: float) -> None:
    assert importance_now(base, type="identity", age_days=age) == base


@pytest.mark.django_db
@settings(max_examples=60)
@given(base=SHARES, type=TYPES, pinned=st.booleans(), age=DAYS, idle=DAYS, accesses=COUNTS, edges=COUNTS)
def test_the_database_computes_the_same(
    base: float, type: str, pinned: bool, age: float, idle: float, accesses: int, edges: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT memory_importance(%s, %s, %s, %s, %s, %s, %s)",
            [base, type, pinned, age, idle, accesses, edges],
        )
        (computed,) = cursor.fetchone()
    expected = importance_now(
        base, type=type, pinned=pinned, age_days=age, idle_days=idle, accesses=accesses, edges=edges
    )
    assert computed == pytest.approx(expected, abs=1e-9)
