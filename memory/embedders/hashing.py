"""A stand-in without a model: words and their beginnings, hashed. Alike texts get alike vectors, meaning plays no part."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from memory.embedders.base import Vector, fit
from memory.models import DIMENSIONS


class HashingEmbedder:
    """Deterministic, immediate, for tests and for machines that cannot hold a model."""

    def __init__(self, *, name: str = "hashing") -> None:
        self.name = name

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector:
        vector = [0.0] * DIMENSIONS
        for word in re.findall(r"\w+", text.lower()):
            for part, weight in ((word, 1.0), (word[:4], 0.5)):
                digest = hashlib.blake2b(f"{self.name}:{part}".encode(), digest_size=8).digest()
                place = int.from_bytes(digest[:4], "little") % DIMENSIONS
                vector[place] += weight if digest[4] & 1 else -weight
        if not any(vector):
            vector[0] = 1.0
        return fit(vector)
