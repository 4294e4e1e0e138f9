"""Any endpoint that speaks OpenAI's `POST /embeddings`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import httpx
from django.conf import settings

from memory.embedders.base import Vector, fit
from memory.errors import EmbedderUnavailable
from memory.models import DIMENSIONS

TIMEOUT_S = 30
BATCH = 64


class OpenAICompatible:
    """Ask for `DIMENSIONS` numbers; a server that knows no shorter vectors is asked for its own, cut to size."""

    def __init__(self, model: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.name = f"openai:{model}"
        self._model = model
        self._transport = transport
        self._asks_for_size = True

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += self._ask(texts[start : start + BATCH])
        return vectors

    @cached_property
    def _client(self) -> httpx.Client:
        key = os.environ.get("SPACEBOT_EMBEDDER_KEY", "") or os.environ.get("OPENAI_API_KEY", "")
        return httpx.Client(
            base_url=settings.SPACEBOT_EMBEDDER_URL,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=TIMEOUT_S,
            transport=self._transport,
        )

    def _ask(self, texts: Sequence[str]) -> list[Vector]:
        body: dict[str, Any] = {"model": self._model, "input": [text or " " for text in texts]}
        if self._asks_for_size:
            body["dimensions"] = DIMENSIONS
        try:
            answer = self._client.post("embeddings", json=body)
            if answer.status_code in (400, 422) and self._asks_for_size:
                self._asks_for_size = False
                return self._ask(texts)
            answer.raise_for_status()
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = [fit(row["embedding"]) for row in rows]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise EmbedderUnavailable(
                f"The embedding service did not answer ({type(error).__name__})."
            ) from error
        if len(vectors) != len(texts):
            raise EmbedderUnavailable("The embedding service answered with too few vectors.")
        return vectors
