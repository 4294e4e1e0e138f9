"""One way to write an action, and its digest.

An approval is worth as much as this function: two actions that do different things must never share a digest.

- Object keys are sorted by code point, nothing is spaced, everything beyond ASCII is escaped.
- Text is taken as it is. "é" in one code point and in two are different file names, so they are different actions:
  normalising would let one be shown and the other be run.
- 1, 1.0, true and "1" are four different values. Numbers that PostgreSQL's jsonb would hand back as another value
  (NaN, infinities, negative zero, floats of 1e16 and more) are refused: an action must survive being stored.
- Keys must be text, and half a surrogate pair is refused.

What runs is what was validated, so callers digest the validated arguments and not what a model wrote; a model's JSON
with the same key twice is refused before it gets here.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

from tasks.services.approvals.errors import Ambiguous

MOST_DEPTH = 40
FLOAT_LIMIT = 1e16


def canonical(value: Any) -> str:
    """Return the one way to write a JSON value. Raises Ambiguous where there is none."""
    _check(value, 0)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(organization_id: int, kind: str, action: Any) -> str:
    """Return the SHA-256 of an action of one kind in one organization."""
    return digest({"action": action, "kind": kind, "organization": organization_id})


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def _check(value: Any, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise Ambiguous("this is nested too deeply")
    if isinstance(value, float):
        _check_float(value)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise Ambiguous("a key is not text")
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif value is not None and not isinstance(value, bool | int):
        raise Ambiguous(f"{type(value).__name__} cannot be written as JSON")


def _check_float(value: float) -> None:
    if not math.isfinite(value) or abs(value) >= FLOAT_LIMIT or (value == 0 and math.copysign(1, value) < 0):
        raise Ambiguous("this number cannot be kept exactly; write it as text or as a whole number")


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise Ambiguous("text cannot hold a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Ambiguous("text holds half of a character") from None
