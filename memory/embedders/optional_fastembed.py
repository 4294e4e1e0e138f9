"""`fastembed`, where it is installed. It fetches its model at the first use."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Sequence
from typing import Any

from memory.embedders.base import Vector, fit
from memory.errors import EmbedderUnavailable


class FastEmbed:
    def __init__(self, model: str) -> None:
        self.name = f"fastembed:{model}"
        self._model_name = model
        self._model: Any = None
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        with self._lock:
            try:
                if self._model is None:
                    self._model = importlib.import_module("fastembed").TextEmbedding(self._model_name)
                return [fit(vector) for vector in self._model.embed(list(texts))]
            except ImportError:
                raise EmbedderUnavailable("The package fastembed is not installed.") from None
            except Exception as error:
                raise EmbedderUnavailable(f"fastembed failed ({type(error).__name__}).") from error
