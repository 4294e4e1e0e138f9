"""What turns text into vectors. One protocol; its makers differ in where the work is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from memory.models import DIMENSIONS

Vector = list[float]


class Embedder(Protocol):
    name: str
    """Stored with each vector: vectors of different names are never compared."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one vector of length 1 and `DIMENSIONS` numbers for each text.

        Raises EmbedderUnavailable. May take seconds: never call it inside a transaction.
        """
        ...


def fit(vector: Sequence[float]) -> Vector:
    """Cut or fill to `DIMENSIONS` numbers and bring to length 1."""
    fitted = [float(number) for number in vector[:DIMENSIONS]]
    length = math.sqrt(math.fsum(number * number for number in fitted)) or 1.0
    return [number / length for number in fitted] + [0.0] * (DIMENSIONS - len(fitted))
