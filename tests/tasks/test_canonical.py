"""The one way to write an action: equal for equal values, different for different ones, unharmed by being stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.services.approvals.canonical import canonical, digest_of
from tasks.services.approvals.errors import Ambiguous

text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)
numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same in kind as well: 1, 1.0 and true are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def written(value: Any) -> str | None:
    try:
        return canonical(value)
    except Ambiguous:
        return None


@given(values, values)
def test_two_values_are_written_alike_exactly_if_they_are_the_same(one: Any, other: Any) -> None:
    first, second = written(one), written(other)
    if first is not None and second is not None:
        assert (first == second) == same(one, other)


@given(st.dictionaries(text, values, max_size=5))
def test_the_order_of_keys_does_not_count(value: dict[str, Any]) -> None:
    assert written(value) == written(dict(reversed(list(value.items()))))


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(values)
def test_what_is_written_survives_being_stored(value: Any) -> None:
    if (before := written(value)) is None:
        return
    with connection.cursor() as cursor:
        cursor.execute("select %s::jsonb::text", [before])
        (stored,) = cursor.fetchone()
    assert written(json.loads(stored)) == before


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -0.0, 1e16, 1e300, "\ud800", "\x00", {1: 2}, {"a": b"x"}, object()]
)
def test_what_cannot_be_written_in_one_way_is_refused(value: Any) -> None:
    with pytest.raises(Ambiguous):
        canonical({"value": value})


LOOKALIKES = [1, 1.0, True, "1", "1.0", [1], {"1": 1}, "é", "e\u0301", "\uff11", None, "", [], {}]


def test_look_alikes_have_digests_of_their_own() -> None:
    digests = {digest_of(1, "tool_call", {"value": value}) for value in LOOKALIKES}
    digests |= {digest_of(2, "tool_call", {"value": 1}), digest_of(1, "task", {"value": 1})}
    assert len(digests) == len(LOOKALIKES) + 2
